import { encodeStatusReply, type NodeStatementInit } from '../../src/generated/fbs/index.ts'
import { bytesOf } from './fixtures.ts'

export const NODE_FIELDS: NodeStatementInit = {
  name: 'node-1',
  addresses: ['/ip4/127.0.0.1/tcp/4001', '/ip6/::1/tcp/4001'],
  labels: [{ key: 'zone', value: 'a' }],
  engines: ['podman'],
  version: '0.1.0',
  bootId: bytesOf('boot', 16),
  scheduling: true,
  kem: 'xwing',
  sealingKey: bytesOf('sealing', 1216),
  memberships: [{ value: bytesOf('grant', 200) }]
}

/** Tables in tables, three deep. */
export const status = () =>
  encodeStatusReply({
    nodeName: 'node-1',
    manifests: [1, 2].map((version) => ({
      manifestId: bytesOf('manifest', 36),
      version,
      kind: 'Deployment',
      name: 'web',
      namespace: 'default',
      workloads: [
        {
          workloadId: 'web-0',
          engine: 'podman',
          state: 'running',
          message: 'läuft',
          ports: [{ containerPort: 80, hostPort: 19000, hostIp: '127.0.0.1', protocol: 'TCP' }]
        }
      ]
    }))
  })

import { expect } from 'chai'
import { toPod } from '../../../src/manifest/index.ts'
import { configMap, container, parseOne, pod, secret } from '../fixtures/manifests.ts'

const OPTIONS = { workloadId: 'web-1', ordinal: 0, labels: {}, ports: [] }
const mounts = (...names: string[]) => ({
  volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` }))
})

function transform(spec: Record<string, unknown>, ...documents: object[]) {
  const { pod: document, files } = toPod(parseOne(pod(spec), ...documents), OPTIONS)
  return {
    volumes: document.spec.volumes,
    mounts: document.spec.containers.map(({ volumeMounts }) => volumeMounts),
    files: files.map(({ volume, owner, files: entries }) => ({
      volume,
      owner,
      files: entries.map(({ path, content, mode }) => [
        path,
        Buffer.from(content).toString(),
        mode.toString(8)
      ])
    }))
  }
}

describe('manifest/transform/volumes', () => {
  it('gives an emptyDir a name of its own', () => {
    const containers = [
      container(mounts('tmp')),
      container({ name: 'b', securityContext: { runAsUser: 5 }, ...mounts('tmp') })
    ]
    expect(transform({ containers, volumes: [{ name: 'tmp', emptyDir: {} }] })).to.deep.equal({
      volumes: [{ name: 'web-1-tmp', emptyDir: {} }],
      mounts: [[{ name: 'web-1-tmp', mountPath: '/tmp' }], [{ name: 'web-1-tmp', mountPath: '/tmp' }]],
      files: []
    })
  })

  it('keeps a volume in memory in memory, with its limit in bytes', () => {
    const volumes = [
      { name: 'a', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
      { name: 'b', emptyDir: { medium: 'Memory' } },
      { name: 'c', emptyDir: { medium: '' } }
    ]
    expect(transform({ volumes }).volumes).to.deep.equal([
      { name: 'web-1-a', emptyDir: { medium: 'Memory', sizeLimit: '67108864' } },
      { name: 'web-1-b', emptyDir: { medium: 'Memory' } },
      { name: 'web-1-c', emptyDir: {} }
    ])
  })

  it('makes files of ConfigMaps and Secrets, read-only, 0444 and 0400', () => {
    const made = transform(
      {
        containers: [container(mounts('c', 's'))],
        volumes: [
          { name: 'c', configMap: { name: 'conf' } },
          { name: 's', secret: { secretName: 'keys' } }
        ]
      },
      configMap('conf', { 'b.txt': 'B', 'a.txt': 'A' }, { binaryData: { bin: 'aGk=' } }),
      secret('keys', { pw: 'x' })
    )
    expect(made).to.deep.equal({
      volumes: [
        { name: 'web-1-c', emptyDir: {} },
        { name: 'web-1-s', emptyDir: {} }
      ],
      mounts: [
        [
          { name: 'web-1-c', mountPath: '/c', readOnly: true },
          { name: 'web-1-s', mountPath: '/s', readOnly: true }
        ]
      ],
      files: [
        {
          volume: 'web-1-c',
          owner: undefined,
          files: [
            ['a.txt', 'A', '444'],
            ['b.txt', 'B', '444'],
            ['bin', 'hi', '444']
          ]
        },
        { volume: 'web-1-s', owner: undefined, files: [['pw', 'x', '400']] }
      ]
    })
  })

  it('honours items, modes and optional keys', () => {
    const items = [
      { key: 'a', path: 'deep/er/a.conf', mode: 0o640 },
      { key: 'gone', path: 'gone' }
    ]
    const volumes = [
      { name: 'c', configMap: { name: 'conf', items, defaultMode: 0o600, optional: true } },
      { name: 'd', configMap: { name: 'conf', defaultMode: 0o755 } }
    ]
    const made = transform(
      { volumes, containers: [container(mounts('c', 'd'))] },
      configMap('conf', { a: '1', b: '2' })
    )
    expect(made.files.map(({ files }) => files)).to.deep.equal([
      [['deep/er/a.conf', '1', '640']],
      [
        ['a', '1', '755'],
        ['b', '2', '755']
      ]
    ])
  })

  it('gives an empty directory for an optional ConfigMap that is missing', () => {
    const volumes = [{ name: 'c', configMap: { name: 'gone', optional: true } }]
    expect(transform({ volumes, containers: [container(mounts('c'))] }).files).to.deep.equal([
      { volume: 'web-1-c', owner: undefined, files: [] }
    ])
  })

  it('gives each user a copy that is its own', () => {
    const containers = [
      container(mounts('s')),
      container({ name: 'b', securityContext: { runAsUser: 5 }, ...mounts('s') }),
      container({ name: 'c', securityContext: { runAsGroup: 9 }, ...mounts('s') })
    ]
    const made = transform(
      {
        containers,
        securityContext: { runAsUser: 7 },
        volumes: [{ name: 's', secret: { secretName: 'keys' } }]
      },
      secret('keys', { pw: 'x' })
    )
    expect(made.files.map(({ volume, owner }) => [volume, owner])).to.deep.equal([
      ['web-1-s', { uid: 7, gid: 0 }],
      ['web-1-s.5-0', { uid: 5, gid: 0 }],
      ['web-1-s.7-9', { uid: 7, gid: 9 }]
    ])
    expect(made.mounts.map((list) => (list as { name: string }[])[0]?.name)).to.deep.equal([
      'web-1-s',
      'web-1-s.5-0',
      'web-1-s.7-9'
    ])
  })
})

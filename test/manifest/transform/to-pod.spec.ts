import { expect } from 'chai'
import fc from 'fast-check'
import {
  DEFAULT_TERMINATION_GRACE_MS,
  type Manifest,
  parseManifests,
  restartPolicyOf,
  terminationGraceMsOf,
  toPod
} from '../../../src/manifest/index.ts'
import type { DeployRequest } from '../../../src/runtime/index.ts'
import { manifestText } from '../fixtures/arbitrary.ts'
import {
  configMap,
  container,
  deployment,
  file,
  parseOne,
  pod,
  refusalOf,
  secret
} from '../fixtures/manifests.ts'

const OPTIONS = { workloadId: 'web-1', ordinal: 0, labels: {}, ports: [] }

interface Container {
  readonly env?: { name: string; value: string }[]
  readonly ports?: unknown[]
  readonly command?: string[]
  readonly args?: string[]
  readonly imagePullPolicy: string
  readonly resources: unknown
  readonly volumeMounts?: { name: string; readOnly?: boolean }[]
}

function containersOf(manifest: Manifest, options: Partial<Parameters<typeof toPod>[1]> = {}): Container[] {
  return toPod(manifest, { ...OPTIONS, ...options }).pod.spec.containers as unknown as Container[]
}

function envOf(manifest: Manifest): Record<string, string> {
  return Object.fromEntries((containersOf(manifest)[0]?.env ?? []).map(({ name, value }) => [name, value]))
}

describe('manifest/transform/toPod', () => {
  it('is what the runtime floor takes', () => {
    const { pod: document, files } = toPod(parseOne(pod()), OPTIONS)
    const request: DeployRequest = { workloadId: 'web-1', pod: document, files }
    expect(request.pod.metadata.name).to.equal(request.workloadId)
  })

  it('makes a plain Pod of a Deployment, with only what an engine needs', () => {
    const manifest = parseOne(
      deployment(
        { replicas: 3 },
        { enableServiceLinks: true, hostNetwork: false, automountServiceAccountToken: false },
        { labels: { own: 'dropped' }, annotations: { note: 'x' } }
      )
    )
    expect(toPod(manifest, { ...OPTIONS, labels: { 'beemesh.io/workload': 'web-1' } })).to.deep.equal({
      pod: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web-1', labels: { app: 'web', 'beemesh.io/workload': 'web-1' } },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: DEFAULT_TERMINATION_GRACE_MS / 1000,
          containers: [
            {
              name: 'main',
              image: 'docker.io/library/nginx:1.27',
              imagePullPolicy: 'IfNotPresent',
              env: [],
              resources: {}
            }
          ]
        }
      },
      files: []
    })
  })

  it('lets the node’s labels win over the template’s', () => {
    const { pod: document } = toPod(parseOne(pod({}, { labels: { app: 'web', tier: 'x' } })), {
      ...OPTIONS,
      labels: { app: 'mine' }
    })
    expect(document.metadata.labels).to.deep.equal({ app: 'mine', tier: 'x' })
  })

  it('publishes assigned ports on their address and no others', () => {
    const manifest = parseOne(
      pod({
        containers: [
          container({
            ports: [
              { containerPort: 80, name: 'http' },
              { containerPort: 81 },
              { containerPort: 80, protocol: 'UDP' }
            ]
          }),
          container({ name: 'b', ports: [{ containerPort: 90, hostPort: 90 }] })
        ]
      })
    )
    const ports = [{ containerPort: 80, protocol: 'TCP' as const, hostPort: 19000, hostIp: '127.0.0.1' }]
    const [main, side] = containersOf(manifest, { ports })
    expect(main?.ports).to.deep.equal([
      { containerPort: 80, protocol: 'TCP', hostPort: 19000, hostIP: '127.0.0.1', name: 'http' }
    ])
    expect(side).to.not.have.property('ports')
  })

  it('refuses an assignment that the manifest does not declare, a bad name and a bad ordinal', () => {
    const manifest = parseOne(pod())
    const stray = [{ containerPort: 22, protocol: 'TCP' as const, hostPort: 1, hostIp: '0.0.0.0' }]
    for (const change of [{ ports: stray }, { workloadId: 'Web' }, { ordinal: -1 }])
      expect(refusalOf(() => toPod(manifest, { ...OPTIONS, ...change })).code).to.equal('MANIFEST_ARGUMENT')
  })

  it('leaves restarts to the node and keeps what the manifest says of them', () => {
    const manifest = parseOne(pod({ restartPolicy: 'OnFailure', terminationGracePeriodSeconds: 5 }))
    expect(toPod(manifest, OPTIONS).pod.spec).to.include({
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 5
    })
    expect([restartPolicyOf(manifest), terminationGraceMsOf(manifest)]).to.deep.equal(['OnFailure', 5000])
    expect([
      restartPolicyOf(parseOne(deployment())),
      terminationGraceMsOf(parseOne(deployment()))
    ]).to.deep.equal(['Always', DEFAULT_TERMINATION_GRACE_MS])
  })

  for (const [written, made] of [
    ['Always', 'Always'],
    ['IfNotPresent', 'IfNotPresent'],
    ['Never', 'Never'],
    [undefined, 'IfNotPresent']
  ] as const)
    it(`makes imagePullPolicy ${made} of ${written ?? 'nothing'}`, () => {
      const manifest = parseOne(
        pod({ containers: [container(written === undefined ? {} : { imagePullPolicy: written })] })
      )
      expect(containersOf(manifest)[0]?.imagePullPolicy).to.equal(made)
    })

  it('writes limits and requests that are stated, in one unit, and no others', () => {
    const containers = [
      container({ resources: { limits: { cpu: 0.5, memory: '64Mi' } } }),
      container({ name: 'b' }),
      container({ name: 'c', resources: { requests: { cpu: 2, memory: '1Gi' } } })
    ]
    const made = containersOf(parseOne(pod({ containers })))
    expect(made.map(({ resources }) => resources)).to.deep.equal([
      { limits: { cpu: '500m', memory: '67108864' } },
      {},
      { requests: { cpu: '2000m', memory: '1073741824' } }
    ])
  })

  it('fills in the environment in Kubernetes’ order: envFrom, later sources win, env wins', () => {
    const manifest = parseOne(
      pod({
        containers: [
          container({
            envFrom: [
              { configMapRef: { name: 'a' } },
              { secretRef: { name: 's' }, prefix: 'S_' },
              { configMapRef: { name: 'b' } },
              { configMapRef: { name: 'gone', optional: true } }
            ],
            env: [
              { name: 'OWN', value: 'own' },
              { name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
              { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'SPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
              { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'a', key: 'gone', optional: true } } },
              { name: 'BLANK' }
            ]
          })
        ]
      }),
      configMap('a', { BOTH: 'a', A: '1', OWN: 'lost' }, { binaryData: { bin: 'AAAA' } }),
      configMap('b', { BOTH: 'b' }),
      secret('s', { k: 'plain' }, { data: { k: 'ZW5jb2RlZA==', d: 'ZW5jb2RlZA==' } })
    )
    expect(envOf(manifest)).to.deep.equal({
      BOTH: 'b',
      A: '1',
      OWN: 'own',
      S_k: 'plain',
      S_d: 'encoded',
      KEY: 'plain',
      POD: 'web-1',
      SPACE: 'default',
      BLANK: ''
    })
  })

  it('replaces $(NAME) in env by what came before, in command and args by everything', () => {
    const env = [
      { name: 'LATE', value: '$(PW)' },
      { name: 'PW', valueFrom: { secretKeyRef: { name: 's', key: 'pw' } } },
      { name: 'URL', value: 'db://u:$(PW)@h/$$(PW)' }
    ]
    const manifest = parseOne(
      pod({
        containers: [
          container({ env, command: ['sh', '-c', 'echo $HOME $(PATH)'], args: ['$(URL)', '$(toString)'] })
        ]
      }),
      secret('s', { pw: '$(LATE)x' })
    )
    expect(envOf(manifest)).to.deep.equal({ LATE: '$(PW)', PW: '$(LATE)x', URL: 'db://u:$(LATE)x@h/$(PW)' })
    const [main] = containersOf(manifest)
    expect(main?.command).to.deep.equal(['sh', '-c', 'echo $HOME $(PATH)'])
    expect(main?.args).to.deep.equal(['db://u:$(LATE)x@h/$(PW)', '$(toString)'])
  })

  it('refuses environment that no process could take', () => {
    const using = (ref: object) => pod({ containers: [container({ envFrom: [ref] })] })
    const binary = secret('s', {}, { data: { k: Buffer.from([0xff, 0xfe]).toString('base64') } })
    const zero = secret('s', {}, { data: { k: Buffer.from('a\0b').toString('base64') } })
    for (const document of [binary, zero])
      expect(
        refusalOf(() => parseManifests(file(using({ secretRef: { name: 's' } }), document))).violations[0]
          ?.rule
      ).to.equal('env-text')
    const digit = configMap('c', { '1st': 'x' })
    expect(
      refusalOf(() => parseManifests(file(using({ configMapRef: { name: 'c' } }), digit))).violations[0]?.rule
    ).to.equal('env-name')
  })

  it('keeps the sandbox fields and leaves out what holds by construction', () => {
    const securityContext = {
      runAsUser: 5,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      seccompProfile: { type: 'RuntimeDefault' }
    }
    const { pod: document } = toPod(
      parseOne(
        pod({
          containers: [container({ securityContext })],
          securityContext: { runAsUser: 7, runAsNonRoot: true, supplementalGroups: [9] }
        })
      ),
      OPTIONS
    )
    expect(document.spec.securityContext).to.deep.equal({ runAsUser: 7, supplementalGroups: [9] })
    expect(document.spec.containers[0]?.securityContext).to.deep.equal({
      runAsUser: 5,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] }
    })
  })

  it('passes nothing on that it does not know: no foreign label, no unassigned port, no reference, for any manifest', () => {
    fc.assert(
      fc.property(manifestText, (text) => {
        const [manifest] = parseManifests(text)
        const { pod: document, files } = toPod(manifest!, { ...OPTIONS, labels: { 'beemesh.io/x': 'y' } })
        const written = JSON.stringify(document)
        expect(Object.keys(document.metadata)).to.have.members(['name', 'labels'])
        const labels = (manifest!.objects[0]?.metadata.labels ?? {}) as Record<string, string>
        const allowed = new Set([...Object.keys(labels), 'app', 'beemesh.io/x'])
        for (const label of Object.keys(document.metadata.labels))
          expect(allowed.has(label), label).to.equal(true)
        for (const one of document.spec.containers) expect(one).to.not.have.any.keys('ports', 'envFrom')
        expect(written).to.not.match(
          /"(?:valueFrom|secretKeyRef|configMap|secret|secretName|hostPort|annotations)":/
        )
        expect(files.every(({ volume }) => volume === 'web-1-conf')).to.equal(true)
      }),
      { seed: 2, numRuns: 200 }
    )
  })

  it('changes nothing in the manifest and shares no buffer with it', () => {
    const manifest = parseOne(
      pod({
        volumes: [{ name: 'c', configMap: { name: 'a' } }],
        containers: [container({ volumeMounts: [{ name: 'c', mountPath: '/c' }] })]
      }),
      configMap('a', { k: 'v' })
    )
    const before = JSON.stringify(manifest)
    const [first] = toPod(manifest, OPTIONS).files
    first?.files[0]?.content.fill(0)
    expect(JSON.stringify(manifest)).to.equal(before)
    expect(Buffer.from(toPod(manifest, OPTIONS).files[0]!.files[0]!.content).toString()).to.equal('v')
  })
})

import { expect } from 'chai'
import { limitsOf, type PolicyInput, resolvePolicy, type SandboxRules } from '../../../src/manifest/index.ts'
import { container, job, parseOne, pod, secret, statefulSet } from '../fixtures/manifests.ts'
import { brokenBy, rulesBroken } from './fixtures.ts'

const PATH = 'spec.containers[0]'
const DIGEST = `sha256:${'a'.repeat(64)}`

const open = (overrides: Partial<SandboxRules>): PolicyInput => ({ preset: 'open', overrides })

describe('manifest: keys of the sandbox policy that a person sets', () => {
  it('requireReadOnlyRoot asks every container for it', () => {
    const policy = open({ requireReadOnlyRoot: true })
    const at = `requireReadOnlyRoot ${PATH}.securityContext.readOnlyRootFilesystem`
    expect(brokenBy(policy, container())).to.deep.equal([at])
    expect(brokenBy(policy, container({ securityContext: { readOnlyRootFilesystem: false } }))).to.deep.equal(
      [at]
    )
    expect(brokenBy(policy, container({ securityContext: { readOnlyRootFilesystem: true } }))).to.deep.equal(
      []
    )
  })

  it('requireDigest asks for images that cannot change', () => {
    const policy = open({ requireDigest: true })
    for (const image of ['docker.io/library/nginx', 'docker.io/library/nginx:1.27', 'nginx'])
      expect(brokenBy(policy, container({ image })), image).to.deep.equal([`requireDigest ${PATH}.image`])
    for (const image of [`nginx@${DIGEST}`, `registry.example:5000/a/b:1@${DIGEST}`])
      expect(brokenBy(policy, container({ image })), image).to.deep.equal([])
  })

  it('secretsInEnvironment: false names every variable, and leaves mounted Secrets alone', () => {
    const policy = open({ secretsInEnvironment: false })
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } }]
    const one = container({ env, envFrom: [{ secretRef: { name: 'keys' } }] })
    const manifest = parseOne(pod({ containers: [one] }), secret('keys', { a: 'b' }))
    expect(rulesBroken(manifest, policy)).to.have.members([
      `secretsInEnvironment ${PATH}.env[0].valueFrom.secretKeyRef`,
      `secretsInEnvironment ${PATH}.envFrom[0].secretRef`
    ])
    const volumes = [{ name: 'keys', secret: { secretName: 'keys' } }]
    const mounted = pod({ containers: [container()], volumes })
    expect(rulesBroken(parseOne(mounted, secret('keys', { a: 'b' })), policy)).to.deep.equal([])
  })

  it('addCapabilities: [] allows none', () => {
    const capabilities = { drop: ['ALL'], add: ['NET_BIND_SERVICE'] }
    const policy = open({ addCapabilities: [] })
    expect(brokenBy(policy, container({ securityContext: { capabilities } }))).to.deep.equal([
      `addCapabilities ${PATH}.securityContext.capabilities.add[0]`
    ])
  })

  it('egress: deny admits what publishes no ports, and has it run without a network', () => {
    const policy = open({ egress: 'deny' })
    expect(brokenBy(policy, container())).to.deep.equal([])
    expect(brokenBy(policy, container({ ports: [{ containerPort: 80 }] }))).to.have.length(1)
    expect(limitsOf(resolvePolicy(policy))).to.deep.include({ network: 'none' })
    expect(limitsOf(resolvePolicy(open({})))).not.to.have.property('network')
  })

  it('maxPerContainer bounds limits and requests of every container, init containers too', () => {
    const policy = open({ maxPerContainer: { cpuMillis: 500, memoryBytes: 64 * 2 ** 20, pids: 100 } })
    const large = { limits: { cpu: '501m', memory: '65Mi' } }
    const broken = rulesBroken(
      parseOne(
        pod(
          {
            initContainers: [container({ name: 'first', resources: large })],
            containers: [
              container({ resources: { limits: { cpu: '500m', memory: '64Mi' } } }),
              container({ name: 'b', resources: { requests: { cpu: 1, memory: '1Gi' } } })
            ]
          },
          { annotations: { 'beemesh.io/pids-limit': '101' } }
        )
      ),
      policy
    )
    expect(broken).to.deep.equal([
      'maxPerContainer spec.initContainers[0].resources.limits.cpu',
      'maxPerContainer spec.initContainers[0].resources.limits.memory',
      'maxPerContainer spec.containers[1].resources.requests.cpu',
      'maxPerContainer spec.containers[1].resources.requests.memory',
      'maxPerContainer metadata.annotations["beemesh.io/pids-limit"]'
    ])
  })

  it('maxPerManifest bounds what all copies on this node have together', () => {
    const resources = {
      limits: { cpu: '100m', memory: '10Mi' },
      requests: { 'ephemeral-storage': '1Gi' }
    }
    const manifest = parseOne(statefulSet({ replicas: 4 }, { containers: [container({ resources })] }))
    const policy = open({
      maxPerManifest: { copies: 3, cpuMillis: 300, memoryBytes: 30 * 2 ** 20, storageBytes: 3 * 2 ** 30 }
    })
    expect(rulesBroken(manifest, policy, 3)).to.deep.equal([])
    expect(rulesBroken(manifest, policy)).to.deep.equal([
      'maxPerManifest spec',
      'maxPerManifest spec.template.spec',
      'maxPerManifest spec.template.spec',
      'maxPerManifest spec.template.spec'
    ])
  })

  it('maxPerManifest counts limits, not the smaller requests, and the largest init container', () => {
    const policy = open({ maxPerManifest: { memoryBytes: 64 * 2 ** 20 } })
    const sly = { requests: { memory: '6Mi' }, limits: { memory: '65Mi' } }
    expect(brokenBy(policy, container({ resources: sly }))).to.deep.equal(['maxPerManifest spec'])
    const small = container({ resources: { limits: { memory: '64Mi' } } })
    const init = (memory: string) => ({
      initContainers: ['a', 'b'].map((name) => container({ name, resources: { limits: { memory } } }))
    })
    expect(brokenBy(policy, small, init('64Mi'))).to.deep.equal([])
    expect(brokenBy(policy, small, init('65Mi'))).to.deep.equal(['maxPerManifest spec'])
  })

  it('maxPerManifest needs a limit at every container, the default of the policy or its own', () => {
    const max = { maxPerManifest: { memoryBytes: 64 * 2 ** 20 } }
    const missing = [`maxPerManifest ${PATH}.resources.limits.memory`]
    expect(brokenBy(open(max), container())).to.deep.equal(missing)
    const memoryBytes = 64 * 2 ** 20
    expect(brokenBy(open({ ...max, defaultLimits: { memoryBytes } }), container())).to.deep.equal([])
    expect(brokenBy(open({ ...max, maxPerContainer: { memoryBytes } }), container())).to.deep.equal([])
  })

  it('finds the containers of every kind, at the path of its kind', () => {
    const policy = open({ requireDigest: true })
    expect(rulesBroken(parseOne(job()), policy)).to.deep.equal([
      'requireDigest spec.template.spec.containers[0].image'
    ])
  })
})

import { expect } from 'chai'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { deployment, pod, toYaml } from '../fixtures/workload-files.ts'

describe('cli: validate', () => {
  let home: TestHome
  before(async () => {
    home = await createTestHome()
  })
  after(() => home?.close())

  const validate = (input: string, ...args: string[]) =>
    runCli(['validate', '-f', '-', '-o', 'json', ...args], { env: home.env, input })

  it('says what each document asks for, without a node', async () => {
    const annotations = { 'beemesh.io/engine': 'mock' }
    const text = toYaml(
      pod({ name: 'one', containerPort: 80, hostPort: 8080, annotations }),
      deployment({ name: 'two', replicas: 3 })
    )
    const { manifests } = expectDone(await validate(text, '-n', 'blue'), 'validate')
    expect(manifests[0]).to.include({ kind: 'Pod', name: 'one', namespace: 'blue', engine: 'mock' })
    expect(manifests[0].ports[0]).to.include({ containerPort: 80, hostPort: 8080 })
    expect(manifests[1]).to.include({ kind: 'Deployment', replicas: 3 })
  })

  it('refuses text that is no YAML, with exit 2', async () => {
    expectFailure(await validate('a: [b'), 2, 'MANIFEST_SYNTAX')
  })

  it('refuses an oversized file, with exit 2', async () => {
    const error = expectFailure(await validate(`# ${'x'.repeat(300_000)}\n`), 2, 'MANIFEST_TOO_LARGE')
    expect(error.message).to.match(/bytes|KiB/)
  })

  it('refuses a kind it does not run, and names it', async () => {
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      spec: {}
    }
    const error = expectFailure(await validate(toYaml(ingress)), 2, 'MANIFEST_UNSUPPORTED_KIND')
    expect(error.message).to.include('Ingress')
  })

  it('refuses a field it does not run, by its path', async () => {
    const document = pod({ name: 'one' }) as { spec: Record<string, unknown> }
    document.spec.hostPID = true
    const error = expectFailure(await validate(toYaml(document)), 2, 'MANIFEST_UNSUPPORTED_FIELD')
    expect(`${error.message} ${JSON.stringify(error.details)}`).to.include('hostPID')
  })

  it('refuses a misspelt field and says which is meant', async () => {
    const text = toYaml(pod({ name: 'one' })).replace('"image"', '"imgae"')
    const result = await validate(text)
    expect(result.exitCode).to.equal(2)
    expect(result.stdout).to.include('imgae')
  })

  it('holds it against a sandbox policy when asked, and lists all that it forbids', async () => {
    const text = toYaml(
      pod({ name: 'one', containerPort: 80, hostPort: 8080 }),
      deployment({ name: 'two', replicas: 3 })
    )
    expectDone(await validate(text, '--policy', 'open'), 'validate')
    const baseline = expectFailure(await validate(text, '--policy', 'baseline'), 2, 'POLICY_VIOLATED')
    expect(baseline.message).to.include('Pod one: spec.containers[0].ports[0].hostPort')
    const strict = expectFailure(await validate(text, '--policy', 'strict'), 2, 'POLICY_VIOLATED')
    expect(strict.details).to.include({ preset: 'strict', total: 11 })
    expect(strict.message).to.include('Deployment two: spec.template.spec.containers[0].securityContext')
    expect((await validate(text, '--policy', 'lax')).exitCode).to.equal(2)
  })

  it('refuses a file that is not there, with exit 2', async () => {
    const result = await runCli(['validate', '-f', '/nowhere/a.yaml', '-o', 'json'], { env: home.env })
    expect(expectFailure(result, 2, 'FILE_UNREADABLE').message).to.include('/nowhere/a.yaml')
  })
})

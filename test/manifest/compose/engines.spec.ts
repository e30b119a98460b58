import { tmpdir } from 'node:os'
import { expect } from 'chai'
import { parseManifests, probesOf, toPod } from '../../../src/manifest/index.ts'
import { createEngine, EngineRegistry, MockEngine } from '../../../src/runtime/index.ts'
import { errorOf, run } from '../../conformance/engine/tools.ts'
import type { EngineFixture } from '../../conformance/engine-suite.ts'
import { IMAGE } from '../../runtime/container-fixture.ts'
import { openDockerFixture } from '../../runtime/docker-fixture.ts'
import { createPodmanFixture } from '../../runtime/podman-fixture.ts'

const FILE = `
name: shop
services:
  front:
    image: ${IMAGE}
    command: sh -c 'until wget -q -O /data/page http://back.example:8080/; do sleep 0.1; done; exec sleep 10000'
    depends_on:
      back: { condition: service_started }
      setup: { condition: service_completed_successfully }
    environment: { GREETING: 'a $$(GREETING) $$HOME' }
    healthcheck: { test: test -s /data/page }
    volumes: [data:/data]
    user: "0"
    cap_drop: [ALL]
  back:
    image: ${IMAGE}
    command: [httpd, -f, -p, "8080", -h, /srv/www]
    networks: { default: { aliases: [back.example] } }
    configs: [{ source: page, target: /srv/www/index.html }]
    secrets: [key]
    read_only: true
    tmpfs: /scratch:size=1m
  setup:
    image: ${IMAGE}
    command: [sh, -c, 'echo set > /data/setup']
    volumes: [data:/data]
volumes: { data: }
configs: { page: { content: hello from compose } }
secrets: { key: { content: hunter2 } }
`

const OPENERS = { docker: openDockerFixture, podman: createPodmanFixture }

for (const [name, open] of Object.entries(OPENERS))
  describe(`manifest/compose on the engine ${name}`, function () {
    this.timeout(120_000)
    const [manifest] = parseManifests(`${FILE}x-beemesh: { engine: ${name} }\n`)
    let fixture: (EngineFixture & { close(): Promise<void> }) | undefined
    let workloadId = ''

    before(async function () {
      fixture = await open()
      if (fixture === undefined) return this.skip()
      workloadId = `${fixture.prefix}compose`
      const claimPrefix = `${fixture.prefix}claim`
      const made = toPod(manifest!, { workloadId, ordinal: 0, labels: {}, ports: [], claimPrefix })
      await fixture.engine.deploy({ workloadId, ...made })
    })

    after(async () => {
      await fixture?.engine.remove(workloadId)
      await fixture?.engine.removeVolumes([`${fixture.prefix}claim-shop-data`])
      await fixture?.close()
    })

    const shell = async (container: string, script: string) =>
      (await run(fixture!.engine, workloadId, ['sh', '-c', script], { container })).stdout

    it('one service fetches from the other by its name, after a third has completed', async () => {
      const probe = probesOf(manifest!).find(({ container }) => container === 'front')
      const test = probe?.handler.type === 'exec' ? probe.handler.command : []

      await shell('front', 'for try in $(seq 100); do test -s /data/page && break; sleep 0.1; done')

      expect((await run(fixture!.engine, workloadId, test, { container: 'front' })).exitCode).to.equal(0)
      expect(await shell('front', 'cat /data/page; echo; cat /data/setup')).to.equal(
        'hello from compose\nset\n'
      )
      expect(await shell('front', 'wget -q -O - http://back:8080/')).to.equal('hello from compose')
      expect((await fixture!.engine.status(workloadId))?.state).to.equal('running')
    })

    it('a service has its variables, files and limits as they are written', async () => {
      expect(await shell('front', 'echo "$GREETING"; grep CapEff /proc/self/status')).to.match(
        /^a \$\(GREETING\) \$HOME\nCapEff:\t0+\n$/
      )
      expect(await shell('back', 'cat /run/secrets/key; stat -c " %a" /run/secrets/key')).to.equal(
        'hunter2 400\n'
      )
      expect(await shell('back', 'touch /x 2>&1; touch /scratch/x && echo written')).to.match(
        /Read-only file system\nwritten\n$/
      )
    })
  })

describe('manifest/compose where there is no Docker', () => {
  it('is refused with what to do where there is no Docker', async () => {
    const { engine: required = '' } = parseManifests(FILE)[0]!
    const registry = new EngineRegistry()
    registry.register(new MockEngine())
    registry.register(createEngine('docker', { runDir: tmpdir(), socketPath: '/nonexistent/docker.sock' }))
    const error = await errorOf(registry.pick({ required }))
    expect(error?.message).to.include('asks for engine "docker", which is not available')
    expect(error?.hint).to.include('x-beemesh: { engine: podman }')
  })
})

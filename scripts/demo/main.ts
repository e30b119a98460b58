/** `npm run demo`: what README promises, done for real on this machine. Prints only what it measured. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  Client,
  loadNetworkKey,
  loadSigningKey,
  type Placement,
  parseManifests,
  remoteConnection,
  Session
} from '../../src/index.ts'
import { askAsStranger, eavesdrop, replay } from './attacks.ts'
import { Stage } from './stage.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const IMAGE = 'localhost/beemesh-demo:1'
const MANIFEST = readFileSync(resolve(import.meta.dirname, 'hello.yaml'), 'utf8')
const startedAt = performance.now()

const tty = process.stdout.isTTY
const paint = (code: number, text: string) => (tty ? `\u001b[${code}m${text}\u001b[0m` : text)
const seconds = (fromMs: number) => `${((performance.now() - fromMs) / 1000).toFixed(2)} s`
const say = (text: string) => process.stdout.write(`${text}\n`)
const note = (text: string) => say(paint(2, `      ${text}`))
const done = (text: string, since: number) =>
  say(`  ${paint(32, '✓')} ${text.padEnd(64)} ${paint(2, seconds(since))}`)

function expect(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`the demo expected ${what}`)
}

const stage = await Stage.open()
const mock = stage.engineName === 'mock'
let interrupted = false
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    if (interrupted) return
    interrupted = true
    say(`\n${name}: cleaning up …`)
    void stage.close().then(() => process.exit(130))
  })

try {
  await story()
  await stage.close()
  say('')
  if (mock) say(mockWarning())
  say(
    `${paint(32, 'done')} in ${seconds(startedAt)}, everything cleaned up${mock ? ' (MOCK ENGINE: no container ran)' : ''}`
  )
} catch (error) {
  if (!interrupted) {
    say(`  ${paint(31, '✗')} ${error instanceof Error ? error.message : String(error)}`)
    await stage.close()
    process.exitCode = 1
  }
}

function mockWarning(): string {
  return `MOCK ENGINE: there is no Podman here (${stage.missing ?? 'unknown reason'}), so workloads are only pretended.`
}

async function story(): Promise<void> {
  say(mock ? mockWarning() : 'beemesh demo: four nodes, real Podman, no control plane')
  if (!mock) prepareImage()

  let since = performance.now()
  const ada = await stage.startNode('ada')
  const [bob, cyd] = await Promise.all(['bob', 'cyd', 'dee'].map((name) => stage.startNode(name)))
  done('four node processes are up: ada, bob, cyd, dee', since)
  note(`ada is ${ada.address}`)

  since = performance.now()
  const owner = await loadSigningKey(stage.identity)
  const network = await loadNetworkKey(stage.networkKey)
  const signal = AbortSignal.timeout(60_000)
  const connect = (address: string) => remoteConnection(address, network, { signal })
  const toAda = await connect(ada.address)
  const toCyd = await connect(cyd!.address)
  const viaCyd = new Client({ session: new Session(owner, toCyd) })
  while ((await viaCyd.nodes({ signal })).filter(({ member, connected }) => member && connected).length < 4)
    await new Promise((resolve) => setTimeout(resolve, 50))
  done('one mesh: cyd knows four members, joined through ada', since)

  since = performance.now()
  const ear = eavesdrop(toAda, 'forward')
  const viaAda = new Client({ session: new Session(owner, ear.connection) })
  const sentAt = performance.now()
  const [result] = await viaAda.apply(parseManifests(MANIFEST, { file: 'hello.yaml' }), {
    to: ['bob'],
    signal,
    onProgress: ({ state, node }) => note(`${seconds(sentAt).padStart(8)}  hello on ${node}: ${state}`)
  })
  const placement = result!.placements[0]!
  expect(placement.error === undefined, `hello to run: ${placement.error?.message}`)
  done('manifest sealed to bob, sent through ada, runs on bob', since)
  note(
    `ada passed on ${(ear.frame().byteLength / 1024).toFixed(1)} KiB it cannot read; manifest ID ${result!.manifestId}`
  )

  if (!mock) {
    since = performance.now()
    const url = `http://${placement.ports[0]!.hostIp}:${placement.ports[0]!.hostPort}/`
    const body = (await (await fetch(url, { signal })).text()).trim()
    expect(body === 'hello from beemesh', `another answer than "${body}"`)
    done(`GET ${url} -> ${body}`, since)
  }

  since = performance.now()
  const found = await viaCyd.providers('hello', { signal })
  const [provider] = found.providers
  expect(provider?.node === 'bob', 'cyd to find bob')
  done(
    `cyd, which did not run it, finds it on ${provider.node} (${provider.source}, signed ${provider.ageMs} ms ago)`,
    since
  )

  since = performance.now()
  const lines: string[] = []
  for await (const { line } of viaCyd.logs('hello', { signal })) lines.push(line)
  expect(lines.length > 0, 'log lines')
  done('its log, sealed to the owner, read through cyd', since)
  for (const line of lines.slice(0, 3)) note(line)

  since = performance.now()
  const refused = await replay(toAda, { protocol: 'forward', frame: ear.frame(), owner })
  expect(refused?.code === 'REPLAYED', `the replayed envelope to be refused, got ${refused?.code}`)
  done(`the same envelope sent again: refused, ${refused.code}`, since)

  since = performance.now()
  const stranger = await askAsStranger(toAda)
  expect(stranger?.code === 'NOT_AUTHORISED', `the stranger to be refused, got ${stranger?.code}`)
  done(`a stranger with a valid signature: refused, ${stranger.code}`, since)

  since = performance.now()
  await stage.loseMachine(bob!)
  const heir = await cameBack(viaCyd, 'bob', signal)
  done(`bob lost: nobody was asked, the copy runs on ${heir.node} again`, since)
  const { recoverable } = await viaCyd.status('hello', { signal })
  note(`its key came from ${recoverable!.threshold} of ${recoverable!.holders} nodes that each held a share`)
  if (!mock) {
    const url = `http://${heir.ports[0]!.hostIp}:${heir.ports[0]!.hostPort}/`
    const answer = () => fetch(url, { signal }).then((response) => response.text())
    expect((await soon(answer, signal)).trim() === 'hello from beemesh', 'the same answer from there')
    note(`GET ${url} -> hello from beemesh`)
  }

  since = performance.now()
  await viaCyd.delete('hello', { signal })
  const after = await viaCyd.providers('hello', { signal })
  // bob, who is gone, cannot take back what he said; that is shown as stale
  const left = after.providers.filter(({ source }) => source !== 'stale')
  expect(left.length === 0, 'nobody to provide it any more')
  done('deleted; nobody provides it any more', since)
  await Promise.all([toAda.close(), toCyd.close()])
}

/** The copy on another node, once it runs there. */
async function cameBack(client: Client, lost: string, signal: AbortSignal): Promise<Placement> {
  for (;;) {
    const { placements } = await client.status('hello', { signal })
    const heir = placements.find(({ node, state }) => node !== lost && state === 'running')
    if (heir !== undefined) return heir
    await new Promise((resolve) => setTimeout(resolve, 100))
    signal.throwIfAborted()
  }
}

/** A server that has just been started may not listen yet. */
async function soon<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;)
    try {
      return await ask()
    } catch (error) {
      if (signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
}

function prepareImage(): void {
  const since = performance.now()
  const made = spawnSync('sh', [resolve(ROOT, 'scripts/make-image.sh'), IMAGE], { encoding: 'utf8' })
  expect(made.status === 0, `an image to be made: ${made.stderr}`)
  done(`image ${IMAGE} (a static busybox, no registry)`, since)
}

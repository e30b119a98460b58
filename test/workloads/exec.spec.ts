import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import type { MockEngineInit } from '../../src/runtime/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'

const POD = parseManifests(
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'box' },
    spec: { containers: [{ name: 'main', image: 'localhost/box:1' }] }
  })
)

/** Says back what is typed, and ends with 5 when nothing more comes. */
const echo: MockEngineInit['exec'] = async (_request, _container, { stdin, onOutput }) => {
  for await (const chunk of stdin ?? []) await onOutput('stdout', chunk)
  await onOutput('stderr', new TextEncoder().encode('bye'))
  return 5
}

describe('workloads: exec', () => {
  let lone: LoneNode
  afterEach(() => lone?.close())

  const start = async (mock: MockEngineInit, exec = true) => {
    lone = await createLoneNode(mock, {}, { exec })
    await lone.client.apply(POD)
  }
  const run = async (command: string[], stdin?: AsyncIterable<Uint8Array>, slowMs = 0) => {
    const out = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
    const { exitCode } = await lone.client.exec('box', {
      command,
      stdin,
      onOutput: async (stream, data) => {
        out[stream].push(data)
        if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, slowMs))
      }
    })
    return { exitCode, stdout: Buffer.concat(out.stdout), stderr: Buffer.concat(out.stderr).toString() }
  }

  it('is refused unless the node allows it', async () => {
    await start({ exec: echo }, false)
    const refused = await run(['id']).catch((error: unknown) => error)
    expect(refused).to.have.property('code', 'EXEC_DISABLED')
  })

  it('gives back output, both streams apart, and the exit code', async () => {
    await start({
      exec: async (_request, container, { command, onOutput }) => {
        await onOutput('stdout', new TextEncoder().encode(`${container}: ${command.join('|')}`))
        return 3
      }
    })
    const { exitCode, stdout } = await run(['echo', '$(id)', '; rm'])
    expect(exitCode).to.equal(3)
    expect(stdout.toString()).to.equal('main: echo|$(id)|; rm')
  })

  it('carries megabytes of input and output in order, to a reader that is slow', async () => {
    // given
    await start({ exec: echo })
    const chunks = Array.from({ length: 64 }, (_, n) => new Uint8Array(20_000).fill(n))
    async function* typed() {
      for (const chunk of chunks) yield chunk
    }

    // when
    const { exitCode, stdout, stderr } = await run(['cat'], typed(), 2)

    // then
    expect(stdout.equals(Buffer.concat(chunks))).to.equal(true)
    expect(stderr).to.equal('bye')
    expect(exitCode).to.equal(5)
  })

  it('ends the command when the asker leaves', async () => {
    const begun = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    await start({
      exec: (_request, _container, { signal }) =>
        new Promise((_resolve, reject) => {
          begun.resolve()
          signal!.addEventListener('abort', () => {
            ended.resolve()
            reject(signal!.reason)
          })
        })
    })
    const stop = new AbortController()
    const running = lone.client.exec('box', { command: ['sleep'], onOutput: () => {}, signal: stop.signal })
    await begun.promise
    stop.abort()
    expect(await running.catch(() => 'left')).to.equal('left')
    await ended.promise
  })
})

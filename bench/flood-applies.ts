/**
 * `npm run bench:flood-applies [RATE] [SECONDS]`: applies of an owner while a process of its own offers the same node RATE hostile applies a second:
 * well signed by nobody known, with a forged signature of the owner, and one of the owner's own again. Two nodes with the mock engine in
 * this process; the owner goes on applying a pod to the node under fire, first quiet for as long.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sealManifest } from '../src/client/apply/seal.ts'
import { encodeApplyRequest } from '../src/generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../src/identity/index.ts'
import { parseManifests } from '../src/manifest/index.ts'
import { createMesh, type Mesh } from '../test/fixtures/create-mesh.ts'
import { send, signRequest } from '../test/fixtures/raw-request.ts'
import { pod, toYaml } from '../test/fixtures/workload-files.ts'

const [rate = '1000', seconds = '30'] = process.argv.slice(2)
const mesh = await createMesh(2)
const folder = await mkdtemp(join(tmpdir(), 'bmf-'))
try {
  const client = await mesh.client(0)
  const victim = mesh.nodes[0]!
  const used = join(folder, 'used-apply')
  await writeFile(used, await usedApply(mesh))
  await applies(new Promise((resolve) => setTimeout(resolve, 3_000))) // until the code is warm
  const quiet = await applies(new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000)))
  console.log(`quiet: ${describe(quiet)}`)
  const attack = promisify(execFile)(process.execPath, [
    new URL('flood-applies-attacker.ts', import.meta.url).pathname,
    victim.addresses()[0]!,
    used,
    rate,
    seconds
  ])
  const flooded = await applies(attack)
  console.log(`flooded: ${describe(flooded)}`)
  console.log(`the attacker: ${(await attack).stdout.trim()}`)
  const ratio = at(flooded, 0.99) / at(quiet, 0.99)
  console.log(`p99 ${ratio.toFixed(2)} times the quiet one (bound 2): ${ratio <= 2 ? 'kept' : 'MISSED'}`)

  /** How long applies took, ms, in order of size. */
  async function applies(until: Promise<unknown>): Promise<number[]> {
    const times: number[] = []
    let going = true
    void until.finally(() => {
      going = false
    })
    for (let count = 0; going; count++) {
      const name = `bench-${count % 10}`
      const startedAt = performance.now()
      const [result] = await client.apply(parseManifests(toYaml(pod({ name }))))
      times.push(performance.now() - startedAt)
      const error = result!.placements[0]?.error
      if (error !== undefined) throw new Error(`${error.code}: ${error.message}`)
      await client.delete(name)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return times.sort((a, b) => a - b)
  }
} finally {
  await mesh.close()
  await rm(folder, { recursive: true, force: true })
}
process.exit(0)

function at(times: readonly number[], share: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))]!
}

function describe(times: readonly number[]): string {
  return `${times.length} applies, median ${at(times, 0.5).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms, largest ${at(times, 1).toFixed(1)} ms`
}

/** An apply of the owner that was carried out already: what somebody on the way could have kept. */
async function usedApply(mesh: Mesh): Promise<Uint8Array> {
  const session = await mesh.session(0)
  const { key } = session
  const { networkId } = session.connection
  const node = mesh.nodes[0]!.services.members.self()
  const [manifest] = parseManifests(toYaml(pod({ name: 'used' })))
  const nowMs = Date.now()
  const sealed = await sealManifest(manifest!, { key, networkId, version: nowMs, nodes: [node], nowMs })
  const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals: [0], replyKey })
  const request = await signRequest(session, publicKeyFromPeerId(mesh.nodes[0]!.peerId), {
    name: 'apply',
    encode
  })
  await send(session, 'apply', request.envelope, request)
  return request.envelope
}

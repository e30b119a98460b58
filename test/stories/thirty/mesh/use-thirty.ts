import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadOrCreateSigningKey } from '../../../../src/identity/index.ts'
import { STORY_MS } from './deadlines.ts'
import { Owner } from './owner.ts'
import { refusesStrangers } from './refuses-strangers.ts'
import { Thirty } from './thirty.ts'

let opened: Promise<Thirty> | undefined

/** One mesh for all stories of this run, because thirty nodes take half a minute to start; each story leaves it clean. */
async function open(): Promise<Thirty> {
  const path = await mkdtemp(join(tmpdir(), 'bm30-'))
  await mkdir(join(path, 'run'), { mode: 0o700 })
  const { key } = await loadOrCreateSigningKey(join(path, 'identity'))
  const thirty = new Thirty(path, new Owner(key, join(path, 'run')))
  const startedAt = performance.now()
  await thirty.open()
  console.log(`    (thirty nodes, all connected: ${Math.round((performance.now() - startedAt) / 1000)} s)`)
  return thirty
}

async function close(mesh: Thirty): Promise<void> {
  await mesh.close()
  await rm(mesh.path, { recursive: true, force: true, maxRetries: 3 })
}

after('close the mesh of thirty', async function () {
  this.timeout(120_000)
  const mesh = await opened?.catch(() => undefined)
  if (mesh !== undefined) await close(mesh)
})

/**
 * A story in the mesh of thirty: a stranger is refused first; and when it is told, all is as its owner signed it, nothing forbidden has been
 * on the way, and it is taken away again.
 */
export function story(
  title: string,
  tell: (mesh: Thirty, say: (line: string) => void) => Promise<void>
): void {
  describe('thirty nodes', () => {
    it(title, async function () {
      this.timeout(STORY_MS)
      opened ??= open()
      const mesh = await opened
      const startedAt = performance.now()
      const say = (line: string) =>
        console.log(`    ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
      try {
        await mesh.lateness.calm() // because thirty nodes that have just met have much to tell each other
        await mesh.whole()
        mesh.lateness.take()
        await refusesStrangers(mesh)
        await tell(mesh, say)
        say(`all is as signed ${await mesh.settled()} ms later`)
        await mesh.leaveClean()
        for (const line of mesh.invariants.noted.splice(0)) say(`noted: ${line}`)
        say(`left clean; the event loop was ${mesh.lateness.take()} ms late at most`)
      } catch (error) {
        // because the next story is not to stumble over what is left of this one
        opened = undefined
        say(`it fails: ${error instanceof Error ? error.message : String(error)}`)
        say(`the event loop was ${mesh.lateness.take()} ms late at most`)
        for (const line of mesh.invariants.broken) say(line)
        await close(mesh)
        throw error
      }
    })
  })
}

import { createHash } from 'node:crypto'
import { mkdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { podmanError } from './podman-error.ts'
import type { EngineLogger } from './types.ts'

/** `f_type` of tmpfs and ramfs (statfs(2)). */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])
/** sun_path holds 108 bytes (unix(7)); what is left is for the name. */
const MAX_SOCKET_DIR_BYTES = 80

export interface RunDirs {
  readonly runDir: string
  /** Where file volumes live: in memory whenever the machine offers that. */
  readonly filesDir: string
  /** A path of its own for this process' service. */
  readonly socketPath: string
}

let sockets = 0

/**
 * Makes this node's directories, mode 0700. Secrets must not reach a disk, so file volumes go to `runDir` only when that is a tmpfs,
 * else to /run/beemesh or /dev/shm/beemesh, under a name derived from `runDir` (so that a restarted node finds them again), and to
 * `runDir` on disk only when the machine has neither.
 */
export async function prepareRunDirs(given: string, log: EngineLogger): Promise<RunDirs> {
  const runDir = resolve(given)
  try {
    await mkdir(runDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw podmanError('ENGINE_UNAVAILABLE', `expected a run directory this user can write, got "${runDir}"`, {
      cause
    })
  }
  const tag = createHash('sha256').update(runDir).digest('hex').slice(0, 12)
  const socketDir =
    Buffer.byteLength(runDir) <= MAX_SOCKET_DIR_BYTES ? runDir : join(tmpdir(), `beemesh-${tag}`)
  await mkdir(socketDir, { recursive: true, mode: 0o700 })
  const socketPath = join(socketDir, `podman-${process.pid}-${sockets++}.sock`)
  for (const base of [runDir, join('/run/beemesh', tag), join('/dev/shm/beemesh', tag)]) {
    const parent = base === runDir ? runDir : join(base, '..', '..')
    if (!(await isInMemory(parent))) continue
    const filesDir = join(base, 'files')
    const made = await mkdir(filesDir, { recursive: true, mode: 0o700 }).then(
      () => true,
      () => false
    )
    if (made) return { runDir, filesDir, socketPath }
  }
  log('no tmpfs for file volumes: they will be written to disk under %s', runDir)
  const filesDir = join(runDir, 'files')
  await mkdir(filesDir, { recursive: true, mode: 0o700 })
  return { runDir, filesDir, socketPath }
}

async function isInMemory(path: string): Promise<boolean> {
  return statfs(path).then(
    ({ type }) => IN_MEMORY.has(type),
    () => false
  )
}

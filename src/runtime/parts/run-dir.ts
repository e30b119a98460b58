import { createHash } from 'node:crypto'
import { lstat, mkdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { RuntimeError } from '../errors.ts'
import type { EngineLogger } from '../types.ts'

/** `f_type` of tmpfs and ramfs (statfs(2)). */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])
/** sun_path holds 108 bytes (unix(7)); what is left is for the name. */
const MAX_SOCKET_DIR_BYTES = 80

export interface RunDirs {
  readonly runDir: string
  /** Where file volumes live, in memory whenever the machine offers that; made when the first is written. */
  readonly filesDir: string
  /** A path of its own for this process' service. */
  readonly socketPath: string
}

let sockets = 0

/**
 * Makes this node's directories, mode 0700. Secrets must not reach a disk, so file volumes go to `runDir` only when that is a tmpfs,
 * else to /run/user/<uid>, /run or /dev/shm, under a name derived from `runDir` (so that a restarted node finds them again), and
 * to `runDir` on disk only when the machine has none of these.
 */
export async function prepareRunDirs(given: string, log: EngineLogger): Promise<RunDirs> {
  const runDir = resolve(given)
  try {
    await mkdir(runDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new RuntimeError(
      'ENGINE_UNAVAILABLE',
      `expected a run directory this user can write, got "${runDir}"`,
      { cause }
    )
  }
  const uid = process.getuid?.() ?? 0
  const tag = createHash('sha256').update(runDir).digest('hex').slice(0, 12)
  const short = Buffer.byteLength(runDir) <= MAX_SOCKET_DIR_BYTES
  const socketDir = short ? runDir : await makePrivateDir(join(tmpdir(), `beemesh-${uid}-${tag}`), uid)
  if (socketDir === undefined)
    throw new RuntimeError(
      'ENGINE_UNAVAILABLE',
      `expected a run directory with a path of at most ${MAX_SOCKET_DIR_BYTES} bytes`
    )
  const socketPath = join(socketDir, `podman-${process.pid}-${sockets++}.sock`)
  if (await isInMemory(runDir)) return { runDir, filesDir: join(runDir, 'files'), socketPath }
  for (const parent of [`/run/user/${uid}`, '/run', '/dev/shm']) {
    if (!(await isInMemory(parent))) continue
    const base = await makePrivateDir(join(parent, `beemesh-${uid}`), uid)
    if (base !== undefined) return { runDir, filesDir: join(base, tag), socketPath }
  }
  log('no tmpfs for file volumes: they will be written to disk under %s', runDir)
  return { runDir, filesDir: join(runDir, 'files'), socketPath }
}

/** The directory when it is ours alone; undefined when it cannot be made, or somebody else made it (/dev/shm is open to all). */
async function makePrivateDir(path: string, uid: number): Promise<string | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const found = await lstat(path)
    return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0 ? path : undefined
  } catch {
    return undefined
  }
}

async function isInMemory(path: string): Promise<boolean> {
  return statfs(path).then(
    ({ type }) => IN_MEMORY.has(type),
    () => false
  )
}

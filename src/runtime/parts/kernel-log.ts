import { constants } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'

const PATH = '/dev/kmsg'
/** One record, with its continuation lines, is at most this long (kernel: PRINTK_MESSAGE_MAX 2048, and a dictionary). */
const RECORD_BYTES = 8_192
/** Kills remembered; the oldest go first. */
const MAX_KILLS = 1_000
/** The kernel's log clock is not the wall clock's, and exit times are the engine's. Chosen. */
const TOLERANCE_MS = 3_000

interface Kill {
  readonly cgroup: string
  readonly atMs: number
}

/**
 * Whom the kernel has killed for memory, from its own log. Because engines do not say it: Podman 4.3 and Docker 20.10 miss OOM kills on
 * cgroup v1 (measured 2026-11), and the cgroup with its counters is gone with the container. Without the right to read the log
 * (or when it has been overwritten) nobody was killed.
 */
export class KernelLog {
  readonly #kills: Kill[] = []
  #file: Promise<FileHandle | undefined> | undefined
  #reading: Promise<void> | undefined

  /** Whether a process of container `id` was killed for memory in that time. */
  async killedForMemory(id: string, fromMs: number, toMs: number): Promise<boolean> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
    return this.#kills.some(
      ({ cgroup, atMs }) =>
        cgroup.includes(id) && atMs >= fromMs - TOLERANCE_MS && atMs <= toMs + TOLERANCE_MS
    )
  }

  async close(): Promise<void> {
    const file = await this.#file
    this.#file = undefined
    await file?.close()
  }

  /** What is new since the last time; each read gives one record, and EAGAIN at the end. */
  async #read(): Promise<void> {
    this.#file ??= open(PATH, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
    const file = await this.#file
    if (file === undefined) return
    const bootMs = Date.now() - (await uptimeMs())
    const buffer = Buffer.alloc(RECORD_BYTES)
    for (;;) {
      try {
        const { bytesRead } = await file.read(buffer, 0, RECORD_BYTES, null)
        if (bytesRead === 0) return
        const kill = parseKill(buffer.toString('utf8', 0, bytesRead), bootMs)
        if (kill !== undefined && this.#kills.push(kill) > MAX_KILLS) this.#kills.shift()
      } catch (error) {
        // EPIPE: records were overwritten before we read them, and the next read goes on with the oldest there is
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return
      }
    }
  }
}

/** `6,1234,3771174446,-;oom-kill:constraint=…,task_memcg=/…/libpod-<id>,task=tail,pid=22795,uid=0` (priority, number, µs since boot). */
export function parseKill(record: string, bootMs: number): Kill | undefined {
  const [, micros, cgroup] = /^\d+,\d+,(\d+),[^;]*;oom-kill:.*\btask_memcg=([^,]+)/.exec(record) ?? []
  return cgroup === undefined ? undefined : { cgroup, atMs: bootMs + Number(micros) / 1000 }
}

async function uptimeMs(): Promise<number> {
  return Number.parseFloat(await readFile('/proc/uptime', 'utf8').catch(() => '0')) * 1000
}

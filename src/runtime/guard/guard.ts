import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RuntimeError } from '../errors.ts'
import type { EngineProcess } from '../types.ts'
import { startTicks } from './start-ticks.ts'

const SCRIPT = fileURLToPath(new URL('guard.sh', import.meta.url))
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
/** What a cgroup may be called for the guard to take it. Source: guard.sh. */
const CGROUP = /^\/sys\/fs\/cgroup\/[A-Za-z0-9/_.:@-]+$/
const MS_PER_CENTISECOND = 10

export interface GuardLease {
  /** On the boot clock, ms: what still runs then is killed. */
  readonly untilMs: number
  readonly processes: readonly EngineProcess[]
  /** Processes that are not known yet may come about. */
  readonly isStarting: boolean
}

/**
 * This node's guard: a process of its own, in a session of its own, that kills workloads whose lease is over, also when this process is dead
 * or stands still. The only thing said to it are files: one lease a workload, each replaced as a whole. Needs /proc.
 */
export class Guard {
  readonly #dir: string

  /** @param dir a folder of this node alone; made when it is missing */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** Sees to it that the guard runs; the one of a run before is taken over. @throws RuntimeError GUARD_UNAVAILABLE */
  async ensure(): Promise<void> {
    const own = startTicks(process.pid)
    if (own === undefined)
      throw new RuntimeError('GUARD_UNAVAILABLE', 'the guard needs /proc, which this system does not have', {
        hint: 'Run fenced workloads on Linux, or say beemesh.io/on-partition: stop.'
      })
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    await this.#replace('daemon', `${process.pid} ${own}\n`)
    if (await this.#runs()) return
    const child = spawn('sh', [SCRIPT, this.#dir], {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' }
    })
    child.unref()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    child.once('spawn', resolve).once('error', reject)
    try {
      await promise
    } catch (cause) {
      throw new RuntimeError('GUARD_UNAVAILABLE', 'the guard, a shell script, cannot be started', { cause })
    }
    await this.#replace('guard.pid', `${child.pid} ${startTicks(child.pid!) ?? 0}\n`)
  }

  /** What a workload may run until. In effect when it resolves. @param name a DNS label */
  async set(name: string, { untilMs, processes, isStarting }: GuardLease): Promise<void> {
    assertLabel(name)
    const lines = [
      String(Math.floor(untilMs / MS_PER_CENTISECOND)),
      ...processes.flatMap(({ pid, startTicks: started, cgroup }) => [
        `pid ${pid} ${started}`,
        ...(cgroup !== undefined && CGROUP.test(cgroup) ? [`cgroup ${cgroup}`] : [])
      ]),
      `monitor ${name}`,
      ...(isStarting ? ['starting'] : [])
    ]
    await this.#replace(`${name}.lease`, `${lines.join('\n')}\n`)
  }

  /** Until when a workload may run as the guard knows it, ms on the boot clock; undefined: it does not watch it. */
  async untilMs(name: string): Promise<number | undefined> {
    assertLabel(name)
    const text = await readFile(join(this.#dir, `${name}.lease`), 'utf8').catch(() => '')
    const centiseconds = /^\d+\n/.test(text) ? Number.parseInt(text, 10) : undefined
    return centiseconds === undefined ? undefined : centiseconds * MS_PER_CENTISECOND
  }

  /** Workloads that the guard has killed, until they are forgotten or set anew. */
  async killed(): Promise<string[]> {
    const names = await readdir(this.#dir).catch(() => [])
    return names.filter((name) => name.endsWith('.killed')).map((name) => name.slice(0, -'.killed'.length))
  }

  /** The workload is gone, or is not to be watched any more. Repeatable. */
  async forget(name: string): Promise<void> {
    assertLabel(name)
    for (const end of ['lease', 'killed']) await rm(join(this.#dir, `${name}.${end}`), { force: true })
  }

  /** Names of all workloads there is a lease or a mark of. */
  async names(): Promise<string[]> {
    const names = await readdir(this.#dir).catch(() => [])
    return [...new Set(names.flatMap((name) => /^(.*)\.(?:lease|killed)$/.exec(name)?.[1] ?? []))]
  }

  async #runs(): Promise<boolean> {
    const text = await readFile(join(this.#dir, 'guard.pid'), 'utf8').catch(() => '')
    const [pid = 0, started] = text.split(/\s/).map(Number)
    return pid > 1 && started !== undefined && started > 0 && startTicks(pid) === started
  }

  /** Whoever reads it sees the old file or the new one. */
  async #replace(name: string, text: string): Promise<void> {
    const path = join(this.#dir, name)
    await writeFile(`${path}.new`, text, { mode: 0o600 })
    await rename(`${path}.new`, path)
  }
}

function assertLabel(name: string): void {
  if (!LABEL.test(name))
    throw new RuntimeError('GUARD_UNAVAILABLE', 'expected a DNS label as name of a workload')
}

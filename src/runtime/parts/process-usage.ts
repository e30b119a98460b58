import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineStats } from '../types.ts'

const ROOT = '/sys/fs/cgroup'
/** cgroup v1 writes "no limit" as the largest page-aligned number. */
const NO_LIMIT_BYTES = 2 ** 60

/** What one container has used. */
export interface Usage {
  readonly cpuNanos: number
  readonly memoryBytes: number
  /** Infinity: none. */
  readonly memoryLimitBytes: number
  readonly blockReadBytes: number
  readonly blockWriteBytes: number
  readonly pids: number
}

/** The containers of a workload together. */
export function toStats(
  workloadId: string,
  usages: readonly Usage[],
  network: { readonly rxBytes: number; readonly txBytes: number }
): EngineStats {
  const sum = (name: keyof Usage) => usages.reduce((total, usage) => total + usage[name], 0)
  const memoryLimitBytes = sum('memoryLimitBytes')
  return {
    workloadId,
    atMs: Date.now(),
    cpuNanos: sum('cpuNanos'),
    memoryBytes: sum('memoryBytes'),
    ...(Number.isFinite(memoryLimitBytes) ? { memoryLimitBytes } : {}),
    networkRxBytes: network.rxBytes,
    networkTxBytes: network.txBytes,
    blockReadBytes: sum('blockReadBytes'),
    blockWriteBytes: sum('blockWriteBytes'),
    pids: sum('pids')
  }
}

/**
 * What the cgroup of a process has used, read from the kernel itself: numbers where engines print text, and an answer also while the
 * engine is busy. Version 1, 2 and the mixture of both. Undefined when the process is gone.
 */
export async function readUsage(pid: number): Promise<Usage | undefined> {
  const paths = await readPaths(pid)
  if (paths === undefined) return undefined
  return paths.has('memory') ? readDivided(paths) : readUnified(join(ROOT, paths.get('') ?? '/'))
}

/** Path of a file in the cgroup of a process, of this controller; undefined when the process is gone. */
export async function cgroupFile(pid: number, controller: string, file: string): Promise<string | undefined> {
  const paths = await readPaths(pid)
  const path = paths?.get(controller)
  if (paths === undefined || path !== undefined) return path && join(ROOT, controller, path, file)
  return join(ROOT, paths.get('') ?? '/', file)
}

/** Bytes received and sent in the network namespace of a process, without the loopback; 0 for this machine's own. */
export async function readNetwork(pid: number): Promise<{ rxBytes: number; txBytes: number }> {
  const namespaceOf = (process: number | 'self') => readlink(`/proc/${process}/ns/net`).catch(() => '')
  if ((await namespaceOf(pid)) === (await namespaceOf('self'))) return { rxBytes: 0, txBytes: 0 }
  const table = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => '')
  let [rxBytes, txBytes] = [0, 0]
  for (const line of table.split('\n')) {
    const [, name, numbers = ''] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? []
    if (name === undefined || name === 'lo') continue
    const fields = numbers.split(/\s+/).map(Number)
    rxBytes += fields[0] ?? 0
    txBytes += fields[8] ?? 0
  }
  return { rxBytes, txBytes }
}

/** Path by controller; '' is the unified hierarchy of version 2. */
async function readPaths(pid: number): Promise<Map<string, string> | undefined> {
  const membership = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => undefined)
  if (membership === undefined || pid <= 0) return undefined
  const paths = new Map<string, string>()
  for (const line of membership.split('\n')) {
    const [, controllers, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    for (const controller of controllers?.split(',') ?? []) paths.set(controller, path)
  }
  return paths
}

async function readDivided(paths: ReadonlyMap<string, string>): Promise<Usage> {
  const read = (controller: string, file: string) =>
    readText(join(ROOT, controller, paths.get(controller) ?? '/', file))
  const [cpu, used, limit, stat, io, pids] = await Promise.all([
    read('cpuacct', 'cpuacct.usage'),
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.stat'),
    read('blkio', 'blkio.throttle.io_service_bytes'),
    read('pids', 'pids.current')
  ])
  return {
    cpuNanos: toNumber(cpu),
    memoryBytes: Math.max(toNumber(used) - field(stat, 'total_inactive_file'), 0),
    memoryLimitBytes: toLimit(limit),
    blockReadBytes: sum(io, /^\S+ Read (\d+)$/gm),
    blockWriteBytes: sum(io, /^\S+ Write (\d+)$/gm),
    pids: toNumber(pids)
  }
}

async function readUnified(directory: string): Promise<Usage> {
  const files = ['cpu.stat', 'memory.current', 'memory.max', 'memory.stat', 'io.stat', 'pids.current']
  const [cpu = '', used = '', limit = '', stat = '', io = '', pids = ''] = await Promise.all(
    files.map((file) => readText(join(directory, file)))
  )
  return {
    cpuNanos: field(cpu, 'usage_usec') * 1000,
    memoryBytes: Math.max(toNumber(used) - field(stat, 'inactive_file'), 0),
    memoryLimitBytes: toLimit(limit),
    blockReadBytes: sum(io, /\brbytes=(\d+)/g),
    blockWriteBytes: sum(io, /\bwbytes=(\d+)/g),
    pids: toNumber(pids)
  }
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

function toNumber(text: string): number {
  return Number.parseInt(text, 10) || 0
}

function toLimit(text: string): number {
  const bytes = Number.parseInt(text, 10)
  return Number.isNaN(bytes) || bytes >= NO_LIMIT_BYTES ? Number.POSITIVE_INFINITY : bytes
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
}

function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, digits]) => total + Number(digits), 0)
}

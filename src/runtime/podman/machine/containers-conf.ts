import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const CAP_SYS_RESOURCE = 24n
/** What Podman asks for when nothing says otherwise (nofile and nproc). */
const PODMAN_DEFAULT_LIMIT = 1_048_576
/** Highest nproc we ask for. Measured 2026-11: 32768 works where pid_max is 32768, 65536 does not. */
const MAX_NPROC = 8_192
const MACHINE_FILES = ['/etc/containers/containers.conf', '/usr/share/containers/containers.conf']
const NETAVARK = [
  '/usr/lib/podman/netavark',
  '/usr/libexec/podman/netavark',
  '/usr/local/libexec/podman/netavark'
]

/** What of the machine decides whether Podman's defaults work. */
export interface MachineFacts {
  readonly uid: number
  /** Pure cgroup v2. */
  readonly cgroupV2: boolean
  /** /proc/self/mounts */
  readonly mounts: string
  /** /proc/self/status */
  readonly status: string
  /** /proc/self/limits */
  readonly limits: string
  readonly pidMax: number
  readonly netavark: boolean
  /** The machine's own containers.conf, all files one after the other. */
  readonly machineConf: string
}

export function readMachineFacts(): MachineFacts {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')
  return {
    uid: process.getuid?.() ?? -1,
    cgroupV2: existsSync('/sys/fs/cgroup/cgroup.controllers'),
    mounts: read('/proc/self/mounts'),
    status: read('/proc/self/status'),
    limits: read('/proc/self/limits'),
    pidMax: Number(read('/proc/sys/kernel/pid_max')) || 32_768,
    netavark: NETAVARK.some((path) => existsSync(path)),
    machineConf: MACHINE_FILES.map(read).join('\n')
  }
}

/**
 * The containers.conf this machine needs, or undefined when Podman can work with what is there. Two known needs: a hybrid cgroup
 * tree, which crun refuses and runc accepts; and hard limits below what Podman asks for without CAP_SYS_RESOURCE. A setting the
 * machine's administrator has made is never second-guessed. The same rules as scripts/setup-podman.sh.
 */
export function planContainersConf(facts: MachineFacts): string | undefined {
  const hybrid = !facts.cgroupV2 && / cgroup2 /.test(facts.mounts)
  const runtime = hybrid && !/^\s*runtime\s*=/m.test(facts.machineConf) ? 'runc' : undefined
  const ulimits = /^\s*default_ulimits\s*=/m.test(facts.machineConf) ? undefined : planUlimits(facts)
  if (runtime === undefined && ulimits === undefined) return undefined
  return [
    '# Written by beemesh from what this machine can do; see src/runtime/podman/machine/containers-conf.ts.',
    ...(ulimits === undefined ? [] : ['[containers]', `default_ulimits = [${ulimits}]`]),
    ...(facts.netavark ? ['[network]', 'network_backend = "netavark"'] : []),
    ...(runtime === undefined ? [] : ['[engine]', `runtime = "${runtime}"`]),
    ''
  ].join('\n')
}

/**
 * The value for CONTAINERS_CONF: as configured, else as the environment says, else a file written to `runDir` when one is needed.
 * Undefined leaves Podman to the machine's own. Never writes outside `runDir`.
 */
export async function prepareContainersConf(
  configured: string | undefined,
  runDir: string,
  facts = readMachineFacts()
): Promise<string | undefined> {
  if (configured !== undefined) return configured
  if (process.env.CONTAINERS_CONF) return process.env.CONTAINERS_CONF
  const content = planContainersConf(facts)
  if (content === undefined) return undefined
  const path = join(runDir, 'containers.conf')
  if ((await readFile(path, 'utf8').catch(() => '')) === content) return path
  await mkdir(runDir, { recursive: true, mode: 0o700 })
  await writeFile(`${path}.${process.pid}`, content, { mode: 0o600 })
  await rename(`${path}.${process.pid}`, path)
  return path
}

function planUlimits({ uid, status, limits, pidMax }: MachineFacts): string | undefined {
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? 'ffffffffffffffff'}`)
  if (uid !== 0 || ((capabilities >> CAP_SYS_RESOURCE) & 1n) === 1n) return undefined
  const nofile = hardLimit(limits, 'Max open files')
  const nproc = hardLimit(limits, 'Max processes')
  if (nofile >= PODMAN_DEFAULT_LIMIT && nproc >= PODMAN_DEFAULT_LIMIT) return undefined
  const files = Math.min(nofile, PODMAN_DEFAULT_LIMIT)
  const processes = Math.min(nproc, pidMax, MAX_NPROC)
  return `"nofile=${files}:${files}", "nproc=${processes}:${processes}"`
}

function hardLimit(limits: string, name: string): number {
  const hard = new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, 'm').exec(limits)?.[1]
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}

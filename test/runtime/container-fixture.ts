import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import type { PodContainer } from '../../src/runtime/index.ts'
import type { Commands, ContainerScript } from '../conformance/engine-suite.ts'

export const ROOT = join(import.meta.dirname, '..', '..')
export const IMAGE = 'localhost/beemesh-test:1'
/** The same image by a name whose registry does not exist (RFC 2606). */
export const UNREACHABLE_IMAGE = 'registry.invalid/beemesh-test:1'

/** What the test image does for the suite, whatever engine runs it. */
export const COMMANDS: Commands = {
  fail: ['sh', '-c', 'echo out; echo err >&2; exit 7'],
  echo: ['cat'],
  interfaces: ['sh', '-c', "sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev"],
  size: ['sh', '-c', 'until [ "$(stty size)" = "40 100" ]; do sleep 0.05; done; stty size'],
  hang: (word) => ['sh', '-c', `sleep ${word}; echo never`],
  write: ['sh', '-c', 'echo kept > /data/x'],
  read: ['cat', '/data/x']
}

/** sh that speaks, then ends or waits; `exec`, so that a signal reaches what waits. */
export function toContainer(
  name: string,
  { say = [], exitCode, stubborn = false, processes, outOfMemory = false }: ContainerScript = {}
): PodContainer {
  const words = say.map((line) => `echo ${line}`)
  const wait = stubborn
    ? ["trap '' TERM", 'while :; do sleep 1; done']
    : ["trap 'exit 143' TERM", 'sleep 10000 & wait']
  // from a process of its own, because the shell ends when it cannot fork; not at once, as Podman's limit comes after the start
  const fork = `sleep 1; (for i in $(seq ${processes}); do sleep 10000 & done) & wait $!; exec sleep 10000`
  const then =
    processes !== undefined
      ? [fork]
      : outOfMemory
        ? ['exec tail /dev/zero']
        : exitCode === undefined
          ? wait
          : [`exit ${exitCode}`]
  const script = [...words, ...then].join('; ')
  const resources = outOfMemory ? { resources: { limits: { memory: '32Mi' } } } : {}
  return { name, image: IMAGE, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', script], ...resources }
}

/** The image's own command serves its page. */
export function toWebContainer(name: string): { container: PodContainer; port: number } {
  return { container: { name, image: IMAGE }, port: 8080 }
}

export async function countProcesses(word: string): Promise<number> {
  const { stdout } = await execa('ps', ['-e', '-o', 'args'])
  return stdout.split('\n').filter((line) => line.startsWith('sleep ') && line.includes(word)).length
}

/** A foreign process' listener: this one's. */
export async function occupyPort(): Promise<{ port: number; release(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { port, release: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Files that an engine with this run directory still keeps for a workload, wherever it chose to put them. */
export async function findFiles(runDir: string, workloadId: string): Promise<string[]> {
  const uid = process.getuid?.() ?? 0
  const bases = [runDir, `/dev/shm/beemesh-${uid}`, `/run/beemesh-${uid}`, `/run/user/${uid}/beemesh-${uid}`]
  const files = await Promise.all(bases.map((base) => readdir(base, { recursive: true }).catch(() => [])))
  return files.flat().filter((path) => path.split('/').includes(workloadId))
}

/** What `npm run setup` found out about this machine. */
export function settings(): Record<string, string> {
  const file = join(ROOT, '.setup/env')
  const written = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return Object.fromEntries(
    written.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=', 2)] : []))
  )
}

/** Makes the test image in Podman's store; undefined, and loud, when this machine cannot have it. */
export async function makeImage(): Promise<true | undefined> {
  const script = join(ROOT, 'scripts/make-image.sh')
  const made = await execa('sh', [script, IMAGE], { reject: false, env: settings() })
  if (!made.failed) return true
  console.error(
    `\n  !!! SKIPPED: Podman cannot be used on this machine, so nothing below tests it. ${made.stderr}\n`
  )
  return undefined
}

import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import type { DeployRequest, ExecOptions, PodContainer } from '../types.ts'
import type { MockScript } from './types.ts'

/** What the engine is called in manifests and errors. */
export const NAME = 'mock'

/** What a command does unless told otherwise. */
export async function pretendToRun(_: DeployRequest, container: string, { command, onOutput }: ExecOptions) {
  const line = `mock engine: pretending to run ${command.join(' ')} in "${container}"\n`
  await onOutput('stdout', new TextEncoder().encode(line))
  return 0
}

/** First word of a command that ends well after so many seconds as its second word says, such as a Job's. */
const WORK = 'pretend-work'

export function sayHello({ name, image, command }: PodContainer): MockScript {
  const lines = [`mock engine: pretending to run ${image} as "${name}"`]
  const [word, seconds] = Array.isArray(command) ? command : []
  return word === WORK ? { lines, exitCode: 0, endsAfterMs: Number(seconds) * 1000 } : { lines }
}

export function failure(code: RuntimeErrorCode, workloadId: string, why: string): RuntimeError {
  return new RuntimeError(code, `mock engine, workload "${workloadId}": ${why}`, {
    details: { engine: NAME, workloadId }
  })
}

/** Mulberry32: 0 <= x < 1, the same sequence for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

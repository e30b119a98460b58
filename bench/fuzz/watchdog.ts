import { Worker } from 'node:worker_threads'

/** After this the process is taken to hang, ms. */
const PATIENCE_MS = 20_000

/**
 * Says from outside which mutant never came to an end, and ends the process: a loop without end leaves nobody here to say so.
 * @returns what to call with the number of each mutant before it is fed, and `end`
 */
export function startWatchdog(seed: number): { watch(index: number): void; end(): Promise<unknown> } {
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads')
     const { writeSync } = require('node:fs')
     let last = -1
     setInterval(() => {
       const now = Atomics.load(workerData.shared, 0)
       if (now === last && now >= 0) {
         writeSync(1, 'FINDING hang: mutant ' + now + ' of seed ' + workerData.seed + ' did not end\\n')
         process.kill(process.pid, 'SIGKILL')
       }
       last = now
     }, workerData.patienceMs)`,
    { eval: true, workerData: { shared, seed, patienceMs: PATIENCE_MS } }
  )
  worker.unref()
  return {
    watch: (index) => void Atomics.store(shared, 0, index),
    end: () => worker.terminate()
  }
}

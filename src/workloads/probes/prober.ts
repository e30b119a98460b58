import { delay } from '../../common/index.ts'
import type { ContainerProbe } from '../../manifest/index.ts'
import type { RuntimeEngine } from '../../runtime/index.ts'
import { type ProbeTarget, runProbe } from './run-probe.ts'

export interface Probed {
  readonly workloadId: string
  readonly engine: RuntimeEngine
  readonly probes: readonly ContainerProbe[]
  /** Called when the copy becomes ready, or stops being so. */
  readonly onReady: (ready: boolean) => void
  /** A container failed its startup or liveness probe for good: it is to be started again. */
  readonly onDead: (container: string, reason: string, graceMs: number | undefined) => void
}

/** Runs the probes of copies that run, as Kubernetes would, because the engines do not (or wrongly). */
export class Prober {
  readonly #running = new Map<string, { stop: AbortController; readonly ready: Map<string, boolean> }>()
  readonly #signal: AbortSignal

  /** @param signal fires when the node stops */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Begins, or begins anew when the copy was started again. */
  watch(probed: Probed): void {
    this.forget(probed.workloadId)
    if (probed.probes.length === 0) return
    const stop = new AbortController()
    const containers = new Set(
      probed.probes.filter(({ kind }) => kind !== 'liveness').map(({ container }) => container)
    )
    const entry = { stop, ready: new Map([...containers].map((container) => [container, false])) }
    this.#running.set(probed.workloadId, entry)
    const signal = AbortSignal.any([this.#signal, stop.signal])
    for (const container of new Set(probed.probes.map((probe) => probe.container)))
      void this.#probeContainer(container, probed, { signal, ready: entry.ready }).catch(() => {}) // ends with its signal
  }

  forget(workloadId: string): void {
    this.#running.get(workloadId)?.stop.abort()
    this.#running.delete(workloadId)
  }

  /** Whether every container with a startup or readiness probe is ready; true for a copy without probes. */
  isReady(workloadId: string): boolean {
    return [...(this.#running.get(workloadId)?.ready.values() ?? [])].every((ready) => ready)
  }

  /** Whether anything but its running decides that this copy is ready. */
  decides(workloadId: string): boolean {
    return (this.#running.get(workloadId)?.ready.size ?? 0) > 0
  }

  async #probeContainer(
    container: string,
    probed: Probed,
    { signal, ready }: { signal: AbortSignal; ready: Map<string, boolean> }
  ): Promise<void> {
    const of = (kind: ContainerProbe['kind']) =>
      probed.probes.find((probe) => probe.container === container && probe.kind === kind)
    const [startup, liveness, readiness] = [of('startup'), of('liveness'), of('readiness')]
    const setReady = (value: boolean) => {
      const before = this.isReady(probed.workloadId)
      ready.set(container, value)
      const after = this.isReady(probed.workloadId)
      if (before !== after) probed.onReady(after)
    }
    if (startup !== undefined && !(await this.#until(startup, probed, signal))) {
      probed.onDead(container, 'the startup probe failed', startup.terminationGraceMs)
      return
    }
    if (readiness === undefined && startup !== undefined) setReady(true)
    await Promise.all([
      readiness && this.#repeat(readiness, probed, { signal, onChange: setReady }),
      liveness &&
        this.#repeat(liveness, probed, {
          signal,
          onChange: (alive) => {
            if (!alive) probed.onDead(container, 'the liveness probe failed', liveness.terminationGraceMs)
          }
        })
    ])
  }

  /** Probes until it has succeeded, or has failed too often in a row. */
  async #until(probe: ContainerProbe, probed: Probed, signal: AbortSignal): Promise<boolean> {
    await delay(probe.initialDelayMs, { signal })
    let failures = 0
    for (;;) {
      if (await this.#once(probe, probed, signal)) return true
      if (++failures >= probe.failureThreshold) return false
      await delay(probe.periodMs, { signal })
    }
  }

  /** Probes for ever and tells when the answer has changed often enough in a row to count. */
  async #repeat(
    probe: ContainerProbe,
    probed: Probed,
    { signal, onChange }: { signal: AbortSignal; onChange: (value: boolean) => void }
  ): Promise<void> {
    let value: boolean | undefined
    let same = { answer: false, count: 0 }
    await delay(probe.initialDelayMs, { signal })
    for (;;) {
      const answer = await this.#once(probe, probed, signal)
      signal.throwIfAborted()
      same = { answer, count: same.answer === answer ? same.count + 1 : 1 }
      const enough = answer ? probe.successThreshold : probe.failureThreshold
      if (same.count >= enough && value !== answer) {
        value = answer
        onChange(answer)
      }
      await delay(probe.periodMs, { signal })
    }
  }

  async #once(probe: ContainerProbe, { engine, workloadId }: Probed, signal: AbortSignal): Promise<boolean> {
    const seen = await engine.status(workloadId, { signal }).catch(() => undefined)
    signal.throwIfAborted()
    const target: ProbeTarget = { engine, workloadId, address: seen?.address }
    return runProbe(probe, target, signal)
  }
}

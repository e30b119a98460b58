/**
 * A process beside the daemon that ends workloads whose lease is over, when the daemon cannot: it is dead, or stands still. It stands apart
 * from the engines because it must need nothing of them: it knows processes and times. Never decides how long a lease is, never starts
 * anything again.
 *
 * @example
 * const guard = new Guard('/run/beemesh/guard')
 * await guard.ensure()
 * await guard.set('web-0', { untilMs: bootClockMs() + 10_000, processes: await engine.processes('web-0'), isStarting: false })
 */
export { bootClockMs } from './boot-clock.ts'
export { Guard, type GuardLease } from './guard.ts'
export { startTicks } from './start-ticks.ts'

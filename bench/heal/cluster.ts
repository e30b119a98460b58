/** How a host is lost. */
export type Loss = 'process killed' | 'power gone'

/** A copy that runs, as its orchestrator says. */
export interface RunningCopy {
  readonly ordinal: number
  readonly host: number
}

/** Several hosts that keep three copies of one workload running: beemesh, or what it is measured against. */
export interface Cluster {
  readonly name: string
  readonly hosts: readonly number[]
  /** In the arguments of every copy's first process, and of nothing else. */
  readonly marker: string
  start(): Promise<void>
  /** By its own word, asked on a host that is not `without`. @throws when nobody answers */
  copies(without?: number): Promise<RunningCopy[]>
  /** Everything of it runs on a host that was lost, again. */
  restart(host: number): Promise<void>
  /** Whether every host takes part and by its own word all is well. @param hosts @default all */
  isWhole(hosts?: readonly number[]): Promise<boolean>
}

export const REPLICAS = 3
export const IMAGE = 'localhost/beemesh-demo:1'

/**
 * What every copy does: serves a page, and when it has answered the first request it says so to this machine, at the far end of its host's
 * cable, with the machine's uptime when it began. So "ready" means the same whoever started it, and nobody has to be asked again and again.
 */
export function copyCommand(marker: string, callPort: number): string[] {
  const script = [
    'read up idle < /proc/uptime',
    'httpd -p 8080 -h /www',
    'until wget -q -O /dev/null http://127.0.0.1:8080/; do sleep 0.02; done',
    `until wget -q -O /dev/null http://10.78.0.254:${callPort}/${marker}/$up; do sleep 0.1; done`,
    'trap "exit 0" TERM',
    'sleep 100000 & wait'
  ]
  return ['sh', '-c', script.join('; '), marker]
}

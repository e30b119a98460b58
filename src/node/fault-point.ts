import { FAULT_POINTS, type FaultPoint } from '../workloads/index.ts'

/** Names a point of {@link FAULT_POINTS}; read only where crash tests start the node. */
const VARIABLE = 'BEEMESH_TEST_KILL_AT'

/** For crash tests: ends this process, as a power cut would, when the named point is reached. Without the variable: nothing. */
export function faultPointFromEnv(
  env: NodeJS.ProcessEnv = process.env
): ((point: FaultPoint) => void) | undefined {
  const wanted = FAULT_POINTS.find((point) => point === env[VARIABLE])
  if (wanted === undefined) return undefined
  return (point) => {
    if (point === wanted) process.kill(process.pid, 'SIGKILL')
  }
}

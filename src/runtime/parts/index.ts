/**
 * What several engines are built of: files on a tmpfs, an exec session over a Docker-like API, what cgroups and the kernel's log
 * say, merged logs. It stands apart so that an engine's folder holds only what is particular about that engine. Nothing here knows
 * which engine it serves, keeps a workload in memory, or reaches past the workload it was given.
 *
 * @example
 * const { filesDir } = await prepareRunDirs('/run/beemesh', log)
 * const paths = await writeFileVolumes(filesDir, 'web-0', files) // volume name -> directory to mount
 */
export { describeProcess } from './engine-processes.ts'
export { type ExecTransport, type RawExec, runExec } from './exec-session.ts'
export { removeFileVolumes, writeFileVolumes } from './file-volumes.ts'
export { type Frame, readFrames } from './frames.ts'
export { KernelLog } from './kernel-log.ts'
export { KeyedLock } from './keyed-lock.ts'
export { killTree } from './kill-tree.ts'
export { mergeByArrival, mergeByTime } from './merge-lines.ts'
export { cgroupFile, readNetwork, readUsage, toStats } from './process-usage.ts'
export { parseQuantity } from './quantity.ts'
export { prepareRunDirs, type RunDirs } from './run-dir.ts'

/**
 * What containers wrote. Read from conmon's own log file (format k8s-file, which `deploy` asks for) and not through `podman logs` or
 * its socket, because only the file has both the order of stdout and stderr and times finer than a second, and because it needs no
 * process per reader. Never writes to those files, and never keeps more than a chunk and a line of each in memory.
 *
 * @example
 * for await (const { container, line } of readLogs(podman, 'web-0', { tail: 10, follow: true, signal })) console.log(container, line)
 */
export { readLogs } from './read-logs.ts'

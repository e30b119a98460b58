import type { Readable } from 'node:stream'
import { type Abortable, safeText } from '../../common/index.ts'
import { mergeByArrival, mergeByTime, readFrames } from '../parts/index.ts'
import type { LogLine, LogsOptions } from '../types.ts'
import type { DockerClient } from './docker-client.ts'
import { findContainers } from './find-container.ts'

/** A longer line is cut into pieces, characters: bounds memory whatever a container writes. As for Podman. */
const MAX_LINE_CHARS = 256 * 1024

/**
 * Lines of one container, or of all of a workload merged: by time, or as they arrive when following. Docker cuts lines into pieces of
 * 16 KiB and counts each for `tail`, so a tail that holds longer lines has fewer of them.
 * @throws RuntimeError WORKLOAD_NOT_FOUND
 */
export async function* readLogs(
  client: DockerClient,
  workloadId: string,
  options: LogsOptions
): AsyncGenerator<LogLine> {
  const { follow = false, signal } = options
  const ask = { ...(signal && { signal }) }
  const { containers } = await findContainers(client, workloadId, options.container, ask)
  const sources = containers.map(({ id, name }) => readContainer(client, id, name, options))
  yield* sources.length === 1 ? sources[0]! : follow ? mergeByArrival(sources) : mergeByTime(sources)
}

/** The last thing a container said, for an error; undefined when it said nothing. */
export async function readLastLine(
  client: DockerClient,
  id: string,
  options: Abortable
): Promise<string | undefined> {
  let last: string | undefined
  for await (const { line } of readContainer(client, id, '', { ...options, tail: 1 }))
    last = safeText(line, 600)
  return last
}

async function* readContainer(
  client: DockerClient,
  id: string,
  container: string,
  { follow = false, tail, sinceMs = 0, signal }: LogsOptions
): AsyncGenerator<LogLine> {
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow,
    ...(tail === undefined ? {} : { tail }),
    ...(sinceMs === 0 ? {} : { since: (sinceMs / 1000).toFixed(3) })
  }
  const call = { what: 'read a log', ...(signal && { signal }) }
  const stream = await client.stream(`/containers/${id}/logs`, options, call)
  if (stream === undefined) return
  const onAbort = () => stream.destroy(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    yield* toLines(stream, container, sinceMs)
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error // its container has been removed
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stream.destroy()
  }
}

/** Each frame is a time, a space and a piece of a line; the last piece ends with the newline. */
async function* toLines(source: Readable, container: string, sinceMs: number): AsyncGenerator<LogLine> {
  const unfinished: Partial<Record<LogLine['stream'], LogLine>> = {}
  for await (const { stream, bytes } of readFrames(source, { whole: true })) {
    const said = bytes.toString()
    const space = said.indexOf(' ')
    const before = unfinished[stream]
    const timestampMs = before?.timestampMs ?? Date.parse(said.slice(0, space))
    if (Number.isNaN(timestampMs) || timestampMs < sinceMs) continue
    const ended = said.endsWith('\n')
    const line = (before?.line ?? '') + said.slice(space + 1, ended ? -1 : undefined)
    delete unfinished[stream]
    if (ended || line.length >= MAX_LINE_CHARS) yield { container, stream, timestampMs, line }
    else unfinished[stream] = { container, stream, timestampMs, line }
  }
  yield* Object.values(unfinished) // the last words, without a newline
}

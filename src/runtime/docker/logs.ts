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
  options: LogsOptions
): AsyncGenerator<LogLine> {
  const { sinceMs = 0 } = options
  const unfinished: Partial<Record<LogLine['stream'], LogLine>> = {}
  for await (const { stream, time, text } of readPieces(client, id, options)) {
    const before = unfinished[stream]
    const timestampMs = before?.timestampMs ?? Date.parse(time)
    if (Number.isNaN(timestampMs) || timestampMs < sinceMs) continue
    const ended = text.endsWith('\n')
    const line = (before?.line ?? '') + (ended ? text.slice(0, -1) : text)
    delete unfinished[stream]
    if (ended || line.length >= MAX_LINE_CHARS) yield { container, stream, timestampMs, line }
    else unfinished[stream] = { container, stream, timestampMs, line }
  }
  yield* Object.values(unfinished) // the last words, without a newline
}

/** A line, or a part of a long one: its last part ends with the newline. */
interface Piece {
  readonly stream: LogLine['stream']
  /** RFC 3339 with nine digits, so that texts compare as times do. */
  readonly time: string
  readonly text: string
}

async function* readPieces(client: DockerClient, id: string, options: LogsOptions): AsyncGenerator<Piece> {
  const { follow = false, tail, sinceMs = 0, signal } = options
  const since = sinceMs === 0 ? {} : { since: (sinceMs / 1000).toFixed(3) }
  const limit = tail === undefined ? {} : { tail }
  let last: string | undefined
  for await (const piece of readStream(client, id, { follow, ...since, ...limit }, signal)) {
    last = piece.time
    yield piece
  }
  if (!follow) return
  // because a log that is followed to the end lacks what was written last: Docker 20.10 lost it in 11 of 12 tries (measured 2026-11)
  const missed = last === undefined ? { ...since, ...limit } : { since: toSince(last) }
  for await (const piece of readStream(client, id, missed, signal))
    if (last === undefined || piece.time > last) yield piece
}

async function* readStream(
  client: DockerClient,
  id: string,
  query: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined
): AsyncGenerator<Piece> {
  const options = { stdout: true, stderr: true, timestamps: true, ...query }
  const absent = [404, 409] // 409: it is being removed
  const call = { what: 'read a log', absent, ...(signal && { signal }) }
  const source = await client.stream(`/containers/${id}/logs`, options, call)
  if (source === undefined) return
  const onAbort = () => source.destroy(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const { stream, bytes } of readFrames(source, { whole: true })) {
      const said = bytes.toString()
      const space = said.indexOf(' ')
      yield { stream, time: said.slice(0, space), text: said.slice(space + 1) }
    }
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error // its container has been removed
  } finally {
    signal?.removeEventListener('abort', onAbort)
    source.destroy()
  }
}

/** Seconds since epoch with nine digits, as Docker takes them. */
function toSince(time: string): string {
  const [, nanos = '0'] = /\.(\d+)Z$/.exec(time) ?? []
  return `${Math.floor(Date.parse(time) / 1000)}.${nanos}`
}

import { Agent, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type Abortable, withDeadline } from '../../../common/index.ts'
import type { RuntimeErrorCode } from '../../errors.ts'
import type { PodDocument } from '../../types.ts'
import { API_BASE } from '../constants.ts'
import { podmanError, toPodmanError } from '../podman-error.ts'
import type {
  ContainerInspect,
  PodInspect,
  PodmanTimeouts,
  PsEntry,
  PsFilter,
  VolumeInspect
} from '../types.ts'
import type { PodmanClient } from './types.ts'

export interface RestCall extends Abortable {
  readonly what: string
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: unknown
  readonly timeoutMs?: number
  /** Code for words we do not know. @default 'ENGINE_FAILED' */
  readonly fallback?: RuntimeErrorCode
  readonly workloadId?: string
  /** Statuses that mean "there is none", answered with undefined. @default [404] */
  readonly absent?: readonly number[]
}

const REMOVED = /no such (container|pod|volume|exec session)|does not exist in database/

interface PlayReport {
  readonly Pods: readonly { readonly ContainerErrors: readonly string[] | null }[] | null
}

/** Podman over the REST socket of its service, 1-3 ms a read. */
export class RestClient implements PodmanClient {
  readonly #socketPath: string
  readonly #timeouts: PodmanTimeouts
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  constructor(socketPath: string, timeouts: PodmanTimeouts) {
    this.#socketPath = socketPath
    this.#timeouts = timeouts
  }

  async containers(filter: PsFilter, options: Abortable): Promise<PsEntry[]> {
    const path = `/containers/json?all=true&pod=true&filters=${encodeURIComponent(JSON.stringify(filter))}`
    const call = { ...options, what: 'list containers', absent: [] }
    return ((await this.call(path, call)) as PsEntry[] | null) ?? []
  }

  /**
   * `kube play` of one pod, JSON. Podman says 200 also when a container does not start.
   * @throws RuntimeError what Podman's words mean, START_FAILED when that is unknown
   */
  async play(
    pod: PodDocument,
    {
      logMaxSize,
      network,
      ...options
    }: { logMaxSize: string; network?: string | undefined; timeoutMs: number } & Abortable
  ): Promise<void> {
    const what = `start "${pod.metadata.name}"`
    const query = new URLSearchParams({ logDriver: 'k8s-file', logOptions: `max-size=${logMaxSize}` })
    if (network !== undefined) query.set('network', network)
    const call = {
      ...options,
      what,
      fallback: 'START_FAILED',
      workloadId: pod.metadata.name,
      absent: []
    } as const
    const report = await this.call(`/play/kube?${query}`, { ...call, method: 'POST', body: pod })
    const errors = ((report as PlayReport).Pods ?? []).flatMap(({ ContainerErrors }) => ContainerErrors ?? [])
    if (errors.length > 0)
      throw toPodmanError(what, errors.join('\n'), 'START_FAILED', { workloadId: pod.metadata.name })
  }

  async inspectPod(pod: string, options: Abortable): Promise<PodInspect | undefined> {
    const path = `/pods/${encodeURIComponent(pod)}/json`
    return (await this.call(path, { ...options, what: 'inspect a pod' })) as PodInspect | undefined
  }

  async inspectContainer(id: string, options: Abortable): Promise<ContainerInspect | undefined> {
    const path = `/containers/${encodeURIComponent(id)}/json`
    return (await this.call(path, { ...options, what: 'inspect a container' })) as
      | ContainerInspect
      | undefined
  }

  async imageExists(image: string, options: Abortable): Promise<boolean> {
    const path = `/images/${encodeURIComponent(image)}/json`
    return (await this.call(path, { ...options, what: 'look for an image' })) !== undefined
  }

  async killContainer(id: string, signalName: string, options: Abortable): Promise<void> {
    const path = `/containers/${encodeURIComponent(id)}/kill?signal=${encodeURIComponent(signalName)}`
    await this.#write(path, 'POST', 'signal a container', options, [404, 409, 500]) // because a container that does not run is 409 or 500
  }

  async startContainer(id: string, options: Abortable): Promise<void> {
    await this.#write(
      `/containers/${encodeURIComponent(id)}/start`,
      'POST',
      'start a container',
      options,
      [304]
    )
  }

  async removePod(id: string, options: Abortable): Promise<void> {
    await this.#write(`/pods/${encodeURIComponent(id)}?force=true`, 'DELETE', 'remove a pod', options)
  }

  async createVolume(
    name: string,
    labels: Record<string, string>,
    driverOptions: Record<string, string>
  ): Promise<void> {
    const body = { Name: name, Label: labels, Labels: labels, Options: driverOptions }
    await this.call('/volumes/create', {
      what: 'create a volume',
      method: 'POST',
      body,
      absent: []
    })
  }

  async volumes(label: string, value: string, options: Abortable): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${label}=${value}`] }))
    const found = await this.call(`/volumes/json?filters=${filters}`, { ...options, what: 'list volumes' })
    return ((found ?? []) as { Name: string }[]).map(({ Name }) => Name)
  }

  async inspectVolume(name: string, options: Abortable): Promise<VolumeInspect | undefined> {
    const path = `/volumes/${encodeURIComponent(name)}/json`
    return (await this.call(path, { ...options, what: 'inspect a volume' })) as VolumeInspect | undefined
  }

  async removeVolume(name: string, options: Abortable): Promise<void> {
    await this.#write(`/volumes/${encodeURIComponent(name)}`, 'DELETE', 'remove a volume', options)
  }

  /** True when the service answers. */
  async ping(options: Abortable): Promise<boolean> {
    return (await this.call('/_ping', { ...options, what: 'answer' })) !== undefined
  }

  close(): void {
    this.#agent.destroy()
  }

  async #write(
    path: string,
    method: 'POST' | 'DELETE',
    what: string,
    options: Abortable,
    absent = [404]
  ): Promise<void> {
    await this.call(path, { ...options, method, what, absent, timeoutMs: this.#timeouts.removeMs })
  }

  /** A connection of its own, raw in both directions, instead of an answer. */
  upgrade(path: string, body: unknown): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    const json = JSON.stringify(body)
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
      connection: 'Upgrade',
      upgrade: 'tcp'
    }
    const outgoing = request({
      socketPath: this.#socketPath,
      path: API_BASE + path,
      method: 'POST',
      headers,
      timeout: this.#timeouts.removeMs
    })
    outgoing.once('error', reject)
    outgoing.once('timeout', () => {
      outgoing.destroy(
        podmanError('ENGINE_TIMEOUT', `podman did not run a command in ${this.#timeouts.removeMs} ms`)
      )
    })
    outgoing.once('upgrade', (_, socket, head) => {
      socket.setTimeout(0)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    outgoing.once('response', async (response) => {
      const said = messageOf(await text(response).catch(() => ''))
      reject(toPodmanError('run a command', said, 'EXEC_FAILED'))
    })
    outgoing.end(json)
    return promise
  }

  /** Any other question. @throws RuntimeError ENGINE_TIMEOUT, or what Podman's words mean; a socket error as it is: then the service is gone */
  async call(path: string, call: RestCall): Promise<unknown> {
    const { what, signal, timeoutMs = this.#timeouts.readMs, absent = [404] } = call
    try {
      const response = await this.#send(path, call, withDeadline(timeoutMs, signal))
      const body = await text(response)
      const status = response.statusCode ?? 0
      if (absent.includes(status)) return undefined
      // because what is removed while Podman looks at it is a 500
      if (status === 500 && absent.includes(404) && REMOVED.test(body)) return undefined
      if (status >= 400)
        throw toPodmanError(what, messageOf(body), call.fallback ?? 'ENGINE_FAILED', {
          ...(call.workloadId === undefined ? {} : { workloadId: call.workloadId })
        })
      return response.headers['content-type']?.includes('json') && body !== '' ? JSON.parse(body) : body
    } catch (error) {
      signal?.throwIfAborted()
      const names = error instanceof Error ? [error.name, (error.cause as Error | undefined)?.name] : []
      if (names.includes('TimeoutError'))
        throw podmanError('ENGINE_TIMEOUT', `podman did not ${what} within ${timeoutMs} ms`, {
          cause: error,
          ...(call.workloadId === undefined ? {} : { workloadId: call.workloadId })
        })
      throw error
    }
  }

  #send(path: string, { method = 'GET', body }: RestCall, signal: AbortSignal): Promise<IncomingMessage> {
    const json = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent: this.#agent,
        socketPath: this.#socketPath,
        path: API_BASE + path,
        method,
        signal,
        headers: json === undefined ? {} : { 'content-type': 'application/json' }
      })
      outgoing.once('response', resolve).once('error', reject).end(json)
    })
  }
}

function messageOf(body: string): string {
  try {
    const { cause = '', message = '' } = JSON.parse(body)
    return message === '' ? cause : message
  } catch {
    return body
  }
}

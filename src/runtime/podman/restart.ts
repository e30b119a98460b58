import { readFile } from 'node:fs/promises'
import { type Abortable, delay } from '../../common/index.ts'
import { RuntimeError } from '../errors.ts'
import type { RestartOptions } from '../types.ts'
import type { Podman } from './client/index.ts'
import { PIDS_LABEL, TEARDOWN_POLL_MS, TEARDOWN_WAIT_MS } from './constants.ts'
import { enforcePidsLimit, watchPidsLimit } from './deploy/pids-limit.ts'
import { findContainer } from './find-container.ts'
import { podmanError } from './podman-error.ts'
import { stopContainers } from './remove.ts'
import { writeExitFile } from './status/exit-file.ts'
import { isMonitorOf, isProcessOf, judgeMissing } from './status/liveness.ts'

/**
 * Starts one container again in place. Where conmon was killed Podman believes that the container runs, until it is told otherwise: by
 * us, or by a stop that fails after 5 s (measured 2026-11).
 */
export async function restartContainer(
  podman: Podman,
  workloadId: string,
  container: string,
  { graceMs = 0, signal }: RestartOptions
): Promise<void> {
  const options = { ...(signal && { signal }) }
  const entry = await findContainer(podman, workloadId, container, options)
  try {
    const monitor = await podman.ask((client) => client.inspectContainer(entry.Id, options), options)
    if (['running', 'stopping'].includes(entry.State))
      await end(podman, { ...entry, workloadId }, graceMs, options)
    await awaitCleanup(podman, entry.Id, monitor?.ConmonPidFile, options)
    const limit = Number(entry.Labels?.[PIDS_LABEL])
    const started = new AbortController()
    if (limit > 0) void watchPidsLimit(podman, workloadId, limit, started.signal)
    await start(podman, entry.Id, options).finally(() => started.abort())
    if (limit > 0) await enforcePidsLimit(podman, workloadId, limit, options)
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof RuntimeError) || ['ENGINE_TIMEOUT', 'ENGINE_UNAVAILABLE'].includes(error.code))
      throw error
    throw podmanError(
      'RESTART_FAILED',
      `container "${container}" cannot be started again: ${error.message}`,
      {
        cause: error,
        workloadId
      }
    )
  }
}

/**
 * Waits for `podman container cleanup` of the last run. Because that also ends the infra container when no other runs, and would do so
 * after our start: the container would be left without a network, or the start fails ("cannot get namespace path").
 */
async function awaitCleanup(
  podman: Podman,
  id: string,
  pidFile: string | undefined,
  options: Abortable
): Promise<void> {
  const pid = (await readFile(pidFile ?? '', 'utf8').catch(() => '')).trim()
  const deadline = performance.now() + podman.timeouts.removeMs
  while (pid !== '' && performance.now() < deadline && (await isMonitorOf(Number(pid), id)))
    await delay(TEARDOWN_POLL_MS, options)
}

/** Again while the infra container, which ended with the last of the others, is still being tidied up itself. */
async function start(podman: Podman, id: string, options: Abortable): Promise<void> {
  for (const deadline = performance.now() + TEARDOWN_WAIT_MS; ; await delay(TEARDOWN_POLL_MS, options)) {
    try {
      return await podman.ask((client) => client.startContainer(id, options), options)
    } catch (error) {
      options.signal?.throwIfAborted()
      const settling = /cannot get namespace path|container state improper|dependency/.test(String(error))
      if (!settling || performance.now() > deadline) throw error
    }
  }
}

async function end(
  podman: Podman,
  entry: { readonly Id: string; readonly Pid: number; readonly workloadId: string },
  graceMs: number,
  options: Abortable
): Promise<void> {
  if (await isProcessOf(entry.Pid, entry.Id)) {
    if (graceMs > 0) await stopContainers(podman, [entry.Id], graceMs, options)
    await podman.ask((client) => client.killContainer(entry.Id, 'SIGKILL', options), options)
  }
  const stop = { what: 'stop a container', timeoutMs: podman.timeouts.removeMs, ...options }
  for (
    const deadline = performance.now() + podman.timeouts.removeMs;
    ;
    await delay(TEARDOWN_POLL_MS, options)
  ) {
    const { verdict, inspect } = await judgeMissing(podman, entry.Id, options)
    if (verdict === 'told') return
    if (verdict === 'gone') {
      if (inspect === undefined) throw podmanError('RESTART_FAILED', 'it has been removed')
      if (!(await writeExitFile(podman, { id: entry.Id, workloadId: entry.workloadId }, options)))
        await podman.run(['stop', '--time', '1', entry.Id], stop).catch((error) => {
          options.signal?.throwIfAborted()
          if (error.code === 'ENGINE_TIMEOUT') throw error
        })
    }
    if (performance.now() > deadline) throw podmanError('RESTART_FAILED', 'it does not end')
  }
}

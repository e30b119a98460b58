import { safeText } from '../../common/index.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { ENGINE } from './constants.ts'

/** Lines Podman writes although nothing is wrong. */
const NOISE = [
  /failed to connect to syslog/i,
  /unable to get systemd connection to (add|start|remove) healthchecks/,
  /Removing container .* from database/,
  /network.* is already being used/,
  /is not a shared mount/
]

/** Words of a store that Podman cannot read. */
const DAMAGE = /invalid database|opening database|unexpected end of JSON|invalid character .* looking for/
const DAMAGE_HINT =
  "Look at Podman's store on that machine with `podman system check` (5.x) or `podman info`, and reset it with `podman system reset` when nothing else helps (that removes every container and image)."
const FULL_HINT = 'Free space where Podman keeps its images (`podman system df` on that machine).'

/** Sixty-four digits help nobody; Podman takes the first twelve. */
const CONTAINER_ID = /\b([0-9a-f]{12})[0-9a-f]{52}\b/g

/** What Podman's words mean, first match wins. Texts of 4.3.1, observed 2026-11; a 5.x wording that differs ends in the fallback. */
const MEANINGS: readonly (readonly [RegExp, RuntimeErrorCode])[] = [
  [/no space left on device|disk quota exceeded/i, 'STORAGE_FULL'],
  [/invalid database|permission denied: .*storage/, 'ENGINE_FAILED'],
  [/volume .*is being used by the following container/, 'VOLUME_IN_USE'],
  [/address already in use|port is already allocated/, 'PORT_IN_USE'],
  [/pod already exists|name "[^"]*" is in use|that name is already in use/, 'NAME_IN_USE'],
  [/image not known|manifest unknown|did not resolve to an alias|no such image/, 'IMAGE_NOT_FOUND'],
  [/initializing source|pinging container registry|unable to pull|pull access denied/, 'IMAGE_PULL_FAILED'],
  [/can not set env|supported kube kind|unmarshaling|PortMappings can only be used/, 'POD_REFUSED'],
  [/OCI |runc|crun|init container|starting container|failed to start/, 'START_FAILED']
]

/** Podman's words without its noise, one entry a line, safe to print. */
export function toLines(output: string): string[] {
  const lines = output.split('\n').map((line) => safeText(line.trim(), 600).replace(CONTAINER_ID, '$1'))
  return lines.filter((line) => line !== '' && !NOISE.some((noise) => noise.test(line)))
}

/** An error for what Podman said while it was to do `what`; `fallback` when its words mean nothing to us. */
export function toPodmanError(
  what: string,
  output: string,
  fallback: RuntimeErrorCode,
  options: { readonly cause?: unknown; readonly workloadId?: string } = {}
): RuntimeError {
  const lines = toLines(output)
  const text = lines.join('\n')
  const code = MEANINGS.find(([pattern]) => pattern.test(text))?.[1] ?? fallback
  // the first that means this, because the last is often a summary ("failed to start 2 containers")
  const telling = lines.find((line) =>
    MEANINGS.some(([pattern, meaning]) => meaning === code && pattern.test(line))
  )
  const said = (telling ?? lines.at(-1) ?? 'it said nothing').replace(/^Error: /, '')
  const damaged = DAMAGE.test(text)
  return podmanError(
    code,
    `podman could not ${what}: ${said}${damaged ? '; its store may be damaged' : ''}`,
    {
      ...options,
      ...(damaged ? { hint: DAMAGE_HINT } : {}),
      ...(code === 'STORAGE_FULL' ? { hint: FULL_HINT } : {})
    }
  )
}

export function podmanError(
  code: RuntimeErrorCode,
  message: string,
  options: { readonly cause?: unknown; readonly workloadId?: string; readonly hint?: string } = {}
): RuntimeError {
  const { workloadId, cause, hint } = options
  return new RuntimeError(code, message, {
    details: { engine: ENGINE, ...(workloadId === undefined ? {} : { workloadId }) },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause })
  })
}

import { safeText } from '../../common/index.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { ENGINE } from './constants.ts'

/** What Docker's words mean, first match wins. Texts of 20.10.24, observed 2026-11. */
const MEANINGS: readonly (readonly [RegExp, RuntimeErrorCode])[] = [
  [/no space left on device|disk quota exceeded/i, 'STORAGE_FULL'],
  [/address already in use|port is already allocated/, 'PORT_IN_USE'],
  [/container name .* is already in use/, 'NAME_IN_USE'],
  [/volume is in use/, 'VOLUME_IN_USE'],
  [
    /no such image|manifest unknown|manifest for .* not found|repository does not exist|pull access denied/i,
    'IMAGE_NOT_FOUND'
  ],
  [/registry|no such host|dial tcp|TLS handshake|toomanyrequests/, 'IMAGE_PULL_FAILED'],
  [/OCI runtime|runc|failed to create shim|failed to create task/, 'START_FAILED']
]

/** Socket errors that mean that nobody is there. */
const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'EACCES'])

/** An error for what Docker answered while it was to do `what`; `fallback` when its words mean nothing to us. */
export function toDockerError(
  what: string,
  thrown: unknown,
  fallback: RuntimeErrorCode,
  workloadId?: string
): RuntimeError {
  if (thrown instanceof RuntimeError) return thrown
  const error = thrown as Error & { readonly code?: string; readonly json?: { readonly message?: string } }
  const options = { cause: thrown, ...(workloadId === undefined ? {} : { workloadId }) }
  if (GONE.has(error.code ?? ''))
    return dockerError('ENGINE_UNAVAILABLE', `docker could not ${what}: it does not answer (${error.code})`, {
      ...options,
      hint: 'Start Docker (systemctl start docker), and let this user use its socket.'
    })
  const said = safeText(String(error.json?.message ?? error.message).trim(), 600)
  const code = MEANINGS.find(([pattern]) => pattern.test(said))?.[1] ?? fallback
  return dockerError(code, `docker could not ${what}: ${said}`, options)
}

export function dockerError(
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

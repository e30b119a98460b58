import { literal } from '../values/interpolate.ts'
import { flagOf, integerOf, itemsOf, type Spot, secondsOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields } from './draft.ts'

/** Source: compose-spec, 05-services.md#healthcheck, and Docker's own defaults. */
const DEFAULTS = { interval: 30, timeout: 30, retries: 3 }

/** A readinessProbe, because Compose restarts nothing that is unhealthy. */
export function convertHealth({ spot, report, trace }: Draft): Fields {
  const check = under(spot, 'healthcheck')
  if (check.value === undefined) return {}
  const command = testOf(under(check, 'test'), report)
  const interval = secondsOf(under(check, 'interval'), report)
  const timeout = secondsOf(under(check, 'timeout'), report)
  const retries = integerOf(under(check, 'retries'), report)
  const disabled = flagOf(under(check, 'disable'), report) === true
  if (disabled || command === 'none') return {}
  if (under(check, 'test').value === undefined) {
    report(check.path, 'required', "has no test, and the image's own is not seen; write it")
    return {}
  }
  for (const [inside, key] of [
    ['', undefined],
    ['.exec', 'test'],
    ['.periodSeconds', 'interval'],
    ['.timeoutSeconds', 'timeout'],
    ['.failureThreshold', 'retries']
  ] as const)
    trace(`readinessProbe${inside}`, key === undefined ? check.path : under(check, key).path)
  if (command === undefined) return {}
  return {
    readinessProbe: defined({
      exec: { command: command.map(literal) },
      // because 0 means the default, as in Docker
      periodSeconds: interval || DEFAULTS.interval,
      timeoutSeconds: timeout || DEFAULTS.timeout,
      failureThreshold: retries || DEFAULTS.retries
    })
  }
}

function testOf(spot: Spot, report: Draft['report']): readonly string[] | 'none' | undefined {
  if (spot.value === undefined) return undefined
  if (typeof spot.value === 'string') return shell(spot.value)
  const items = itemsOf(spot, report)
  const words = items.flatMap(({ value }) => (typeof value === 'string' ? [value] : []))
  if (words.length < items.length) {
    report(spot.path, 'type', 'must be a list of strings')
    return undefined
  }
  const [kind, ...rest] = words
  if (kind === 'NONE' && rest.length === 0) return 'none'
  if (kind === 'CMD' && rest.length > 0) return rest
  if (kind === 'CMD-SHELL' && rest.length === 1) return shell(rest[0] ?? '')
  if (Array.isArray(spot.value))
    report(spot.path, 'choice', 'must be a string, or begin with CMD, CMD-SHELL (and one string) or NONE')
  return undefined
}

function shell(text: string): readonly string[] {
  return ['/bin/sh', '-c', text]
}

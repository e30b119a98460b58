const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const DURATION = /^(?:\d{1,9}(?:\.\d{1,9})?(?:us|ms|s|m|h)){1,5}$/

/** A duration such as `1m30s` in ms; undefined when it is none. Source: compose-spec, 11-extension.md#specifying-durations. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0
  if (!DURATION.test(text)) return undefined
  const parts = text.matchAll(/([\d.]+)(us|ms|s|m|h)/g)
  return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0)
}

const SIZE = /^(\d{1,15}(?:\.\d{1,9})?) ?([kmgtp]?)(?:i?b)?$/i
const EXPONENTS = ['', 'k', 'm', 'g', 't', 'p']

/** A size such as `64m` in bytes, where k is 1024 as Docker has it; undefined when it is none, or not whole. */
export function parseBytes(text: string): number | undefined {
  const [, count, unit = ''] = SIZE.exec(text) ?? []
  if (count === undefined) return undefined
  const bytes = Number(count) * 1024 ** EXPONENTS.indexOf(unit.toLowerCase())
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

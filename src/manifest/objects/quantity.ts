import { MAX_QUANTITY } from '../constants.ts'

// because Kubernetes' grammar allows exponents too, and a huge one would build a huge number: two digits at most
const QUANTITY = /^\+?(?=\.?\d)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d{1,2})?$/

const SUFFIXES: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60]
}

/**
 * A Kubernetes quantity in whole units, computed exactly: `1.5Gi` is 1610612736, `0.5` cores are 500 at scale 1000.
 * @param scale what one is worth: 1000 for cores in millicores, 1 for bytes
 * @returns undefined when it is no quantity, negative, not whole at that scale, or above {@link MAX_QUANTITY}
 */
function parseQuantity(value: string | number, scale: bigint): number | undefined {
  const match = QUANTITY.exec(String(value))
  if (match === null) return undefined
  const [, whole = '', fraction = '', suffix = ''] = match
  if (whole.length + fraction.length > 32) return undefined
  const [base, exponent] = SUFFIXES[suffix] ?? [10n, suffix === '' ? 0 : Number(suffix.slice(1))]
  let numerator = BigInt(whole + fraction) * scale
  let denominator = 10n ** BigInt(fraction.length)
  if (exponent >= 0) numerator *= base ** BigInt(exponent)
  else denominator *= base ** BigInt(-exponent)
  if (numerator % denominator !== 0n) return undefined
  const result = numerator / denominator
  return result > BigInt(MAX_QUANTITY) ? undefined : Number(result)
}

/** Cores such as `2`, `0.5` or `500m` in millicores; undefined when they are not whole millicores. */
export function parseCpuMillis(value: string | number): number | undefined {
  return parseQuantity(value, 1000n)
}

/** Memory such as `64Mi`, `1.5G` or `1048576` in bytes; undefined when it is not whole bytes (`128m` is 0.128 bytes). */
export function parseMemoryBytes(value: string | number): number | undefined {
  return parseQuantity(value, 1n)
}

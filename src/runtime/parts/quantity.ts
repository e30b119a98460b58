const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40
}

/** A Kubernetes quantity (`500m`, `64Mi`, 1.5) as a number; undefined when there is none, or none that can be read. */
export function parseQuantity(quantity: unknown): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(quantity ?? '')) ?? []
  const factor = FACTORS[unit]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}

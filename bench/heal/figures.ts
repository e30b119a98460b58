/** Figures in the order they were taken. */
export type Figures = readonly number[]

/** The smallest value that so great a share of all does not exceed. */
export function percentile(values: Figures, share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
}

export function line(what: string, values: Figures): string {
  if (values.length === 0) return `${what}: none`
  const [p50, p95, max] = [percentile(values, 0.5), percentile(values, 0.95), Math.max(...values)]
  return `${what}: p50 ${seconds(p50)}, p95 ${seconds(p95)}, max ${seconds(max)}, n=${values.length}`
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

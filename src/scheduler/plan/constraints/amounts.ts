/** Millicores as Kubernetes writes them. */
export function formatCpu(millis: number): string {
  return `${Math.ceil(millis)}m`
}

/** Bytes in the largest binary unit of which there is at least one, such as `512 MiB`; rounded up, because it says what is missing. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Math.ceil(value * 10) / 10} ${units[unit]}`
}

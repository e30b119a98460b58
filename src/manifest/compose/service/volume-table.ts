import type { Fields } from './draft.ts'

/** Longest name of a volume, which is a DNS label, with room for a number that tells it apart. */
const MAX_BASE = 58

/** Letters, digits and `-` of a name, as Kubernetes wants its names. */
export function toLabel(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}

/** The volumes of the pod, each under a name of its own, and where each is said. */
export class VolumeTable {
  readonly volumes: Fields[] = []
  readonly paths: string[] = []
  readonly #names = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #claims = new Map<string, string>()

  /** @returns the name to mount it by */
  add(base: string, source: Fields, path: string): string {
    const label = toLabel(base).slice(0, MAX_BASE).replace(/-+$/, '') || 'volume'
    let name = label
    let count = this.#counts.get(label) ?? 1
    while (this.#names.has(name)) {
      count += 1
      name = `${label}-${count}`
    }
    this.#counts.set(label, count)
    this.#names.add(name)
    this.volumes.push({ name, ...source })
    this.paths.push(path)
    return name
  }

  /** As {@link add}, once for each claim, because services share it. */
  claim(claimName: string, base: string, path: string): string {
    const known = this.#claims.get(claimName)
    if (known !== undefined) return known
    const name = this.add(base, { persistentVolumeClaim: { claimName } }, path)
    this.#claims.set(claimName, name)
    return name
  }
}

import type { Copy } from './types.ts'

export function show(copies: readonly Copy[]): string {
  return copies
    .map(({ ordinal, machine, version }) => `${ordinal}@${machine.name}/${short(version)}`)
    .sort()
    .join(' ')
}

export function short(version: number): string {
  return String(version % 10_000_000)
}

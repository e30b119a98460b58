import type { EntryDraft } from './types.ts'

interface Group {
  readonly first: EntryDraft
  readonly lastMs: number
  readonly count: number
}

/**
 * What comes too often to be written one by one, counted by kind until somebody takes it. Bounded: what finds no room for a kind of its own
 * is counted by what it was and its code, which are few.
 */
export class Tally {
  readonly #maxGroups: number
  readonly #groups = new Map<string, Group>()
  readonly #rest = new Map<string, Group>()

  constructor(maxGroups: number) {
    this.#maxGroups = maxGroups
  }

  get empty(): boolean {
    return this.#groups.size + this.#rest.size === 0
  }

  /** @param draft what tells drafts apart is what they say, not of which manifest and when */
  add(draft: EntryDraft): void {
    const { manifestId: _one, version: _of, ...kind } = draft
    const { what, action, code, rule, author, verified, transport } = kind
    const key = [what, action, code, rule, author && Buffer.from(author).toString('hex'), verified, transport]
    if (this.#groups.size < this.#maxGroups || this.#groups.has(key.join(' ')))
      count(this.#groups, key.join(' '), kind)
    else count(this.#rest, `${what} ${code}`, { what, action: 'several', code, at: draft.at })
  }

  /** Everything counted since the last time, an entry a kind. */
  drain(): EntryDraft[] {
    const groups = [...this.#groups.values(), ...this.#rest.values()]
    this.#groups.clear()
    this.#rest.clear()
    return groups.map(({ first, lastMs, count }) => ({ ...first, at: lastMs, since: first.at, count }))
  }
}

function count(groups: Map<string, Group>, key: string, draft: EntryDraft): void {
  const group = groups.get(key) ?? { first: draft, lastMs: draft.at, count: 0 }
  groups.set(key, { ...group, lastMs: draft.at, count: group.count + 1 })
}

/** What becomes of one field of a Compose file. */
export interface ComposeField {
  /** `honoured`: done as Compose does it. `by-node`: accepted; the note says what it means. `refused`: the note is the reason. */
  readonly support: 'honoured' | 'by-node' | 'refused'
  /** A sentence without its stop; of a refused field, a clause that goes on after "is refused:". */
  readonly note: string
  /** Values of a refused field that ask for nothing, and are accepted. Null and what is empty always are. */
  readonly harmless?: readonly unknown[]
  /** What the mapping here may hold. */
  readonly fields?: ComposeFields
  /** What each mapping in the list here may hold; what else an item may be is its reader's affair. */
  readonly items?: ComposeFields
  /** What each entry may hold, of a mapping from names that people choose. */
  readonly entries?: ComposeFields
}

export type ComposeFields = Readonly<Record<string, ComposeField>>

type Inner = Pick<ComposeField, 'fields' | 'items' | 'entries'>

export function honoured(note = '', inner: Inner = {}): ComposeField {
  return { support: 'honoured', note, ...inner }
}

export function byNode(note: string, inner: Inner = {}): ComposeField {
  return { support: 'by-node', note, ...inner }
}

export function refused(note: string, ...harmless: readonly unknown[]): ComposeField {
  return { support: 'refused', note, harmless }
}

/** Why nothing outside the document is read, and the way around it. */
export const ONLY_THIS_DOCUMENT =
  'only this document travels; apply what `docker compose config` prints of it'

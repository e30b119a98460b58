/** One kind of generated file. `scripts/gen.ts` runs all of them, in order. */
export interface Generator {
  /** Short name, printed and usable as `npm run gen -- <name>`. */
  readonly name: string
  /** Files whose content decides the output: sources and the generator itself. Relative to the repository. */
  inputs(): readonly string[]
  /** Folders (ending in `/`) this generator owns completely: files there that it does not generate are stale. */
  readonly ownedFolders: readonly string[]
  /** Path relative to the repository -> whole content. */
  generate(): Generated
}

export interface Generated {
  readonly files: ReadonlyMap<string, string>
  /** Committed files that could not be made again here (a tool is missing); they are left as they are. */
  readonly kept: readonly string[]
  /** Why, one sentence. */
  readonly note?: string
}

/**
 * What every floor may use: the error base, abort and deadline helpers, bytes, safe text. A closed list: anything
 * that knows a word of the domain belongs elsewhere. Never touches the network or the clock.
 */
export * from './abort.ts'
export * from './bytes.ts'
export * from './errors.ts'
export { packageFile } from './package-file.ts'
export * from './text.ts'

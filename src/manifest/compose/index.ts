/**
 * Compose files: a project as the Pod and the objects it uses, which then pass the same checks as any other.
 *
 * It stands apart because nothing behind it knows Compose: what comes out is Kubernetes, with the way back to the line
 * that each path comes from. What becomes of each field is data, under fields/, and docs/MANIFESTS.md is printed from it.
 *
 * It never reads another file or the environment, drops no field silently, and never puts the value of a variable or the
 * content of a config or secret into an error.
 */
export { convertCompose, isCompose } from './convert-compose.ts'
export { PROJECT_FIELDS } from './fields/project-fields.ts'
export type { ComposeField } from './fields/types.ts'

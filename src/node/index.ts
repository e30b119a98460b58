/**
 * The node: one function that puts everything together, in floor order. Contains no logic of its own.
 *
 * @example
 * ```ts
 * const node = await createNode({ dataDir: '/var/lib/beemesh', name: 'kestrel' })
 * await node.start()
 * console.log(node.addresses())
 * ```
 */

export { type CreateNodeOptions, createNode } from './create-node.ts'
export { acceptInvite } from './data/accept-invite.ts'
export type { BeemeshNode } from './types.ts'
export { VERSION } from './version.ts'

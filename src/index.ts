/**
 * beemesh as a library: the node, the client, and the services for one's own libp2p node.
 *
 * @example
 * ```ts
 * import { createNode } from 'beemesh'
 * const node = await createNode({ dataDir: './data', name: 'kestrel' })
 * await node.start()
 * ```
 */
export * from './client/index.ts'
export { BeemeshError, isBeemeshError } from './common/index.ts'
export { type Config, type ConfigInput, loadConfig } from './config/index.ts'
export {
  generateSigningKey,
  loadNetworkKey,
  loadOrCreateSigningKey,
  loadSigningKey,
  type Network,
  openNetwork,
  privateNetwork,
  type SigningKey
} from './identity/index.ts'
export {
  formatManifestId,
  type Manifest,
  ManifestError,
  parseManifestId,
  parseManifests
} from './manifest/index.ts'
export { type MemberChange, type MembersInit, type MembersService, members } from './members/index.ts'
export { type BeemeshNode, type CreateNodeOptions, createNode } from './node/index.ts'
export { type ProvidersInit, type ProvidersService, type ProviderView, providers } from './providers/index.ts'
export { createEngine, EngineRegistry, type RuntimeEngine } from './runtime/index.ts'
export { type WorkloadsInit, type WorkloadsService, workloads } from './workloads/index.ts'

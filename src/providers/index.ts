/**
 * Who runs what: announces manifests in the Kademlia DHT and finds who provides them, each answer confirmed by the provider's
 * own signed statement. Stands apart so that it can be put into anybody's libp2p node. Never chooses among what it finds.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({ services: { identify: identify(), ping: ping(), dht: kadDHT(...), providers: providers({ network }) } })
 * node.services.providers.announce(manifestId, () => ({ version: 1, workloads: [] }))
 * const found = await node.services.providers.find(manifestId)
 * ```
 */
import { Providers } from './providers.ts'
import type { ProvidersComponents, ProvidersInit, ProvidersService } from './types.ts'

export {
  CACHE_TTL_MS,
  FIND_TIMEOUT_MS,
  LEASE_MS,
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDERS,
  PROVIDER_TTL_MS
} from './constants.ts'
export { recordsOfProvider } from './dht.ts'
export { PROVIDERS_ERROR_CODES, ProvidersError, type ProvidersErrorCode } from './errors.ts'
export { openProviderStatement, signProviderStatement } from './provider-statement.ts'
export type { FindOptions, ProvidedManifest, ProvidersInit, ProvidersService, ProviderView } from './types.ts'

/** The service, for `createLibp2p({ services })`. Needs identify and a Kademlia DHT in server mode. */
export function providers(init: ProvidersInit): (components: ProvidersComponents) => ProvidersService {
  return (components) => new Providers(components, init)
}

/**
 * The node's configuration: file < environment < flags, checked against schemas/config.json, defaults filled in. Stands apart
 * so that keys, variables, flags and docs come from one place. Contains no logic of the node.
 *
 * @example
 * ```ts
 * const config = await loadConfig({ file: 'beemesh.yaml', flags: { name: 'kestrel' } })
 * ```
 */
export { CONFIG_ERROR_CODES, ConfigError, type ConfigErrorCode } from './errors.ts'
export { statedLabels } from './labels.ts'
export {
  CONFIG_SCHEMA,
  type LoadConfigOptions,
  loadConfig,
  splitPair,
  toName,
  withDefaults
} from './load-config.ts'
export {
  configDir,
  defaultDataDir,
  defaultIdentity,
  defaultNetworkKey,
  NETWORK_KEY_FILE
} from './paths.ts'
export type { Config, ConfigInput } from './types.ts'

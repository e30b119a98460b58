import { homedir } from 'node:os'
import { join } from 'node:path'

/** Of the private network, beside the identity. */
export const NETWORK_KEY_FILE = 'network.key'

/** Folder of a person's identity and network key. */
export function configDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'beemesh')
}

export function defaultIdentity(env: NodeJS.ProcessEnv = process.env): string {
  return env.BEEMESH_IDENTITY || join(configDir(env), 'identity')
}

export function defaultNetworkKey(env: NodeJS.ProcessEnv = process.env): string {
  return join(configDir(env), NETWORK_KEY_FILE)
}

export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return '/var/lib/beemesh'
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'beemesh')
}

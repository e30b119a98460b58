import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { CORE_SCHEMA, loadAll } from 'js-yaml'
import { packageFile } from '../common/index.ts'
import { ConfigError } from './errors.ts'
import { assertLabels } from './labels.ts'
import { defaultDataDir, defaultIdentity, defaultNetworkKey } from './paths.ts'
import type { BudgetInput, Budgets, Config, ConfigInput } from './types.ts'

interface PropertySchema {
  readonly type: 'string' | 'array' | 'object' | 'boolean' | 'integer'
  readonly default?: unknown
  readonly 'x-env'?: string
  readonly 'x-flag'?: string
}

/** schemas/config.json: the only place that knows keys, defaults, variables and flags. */
export const CONFIG_SCHEMA = JSON.parse(readFileSync(packageFile('schemas/config.json'), 'utf8')) as {
  readonly properties: Readonly<Record<string, PropertySchema>>
}

/** Largest configuration file, bytes. Chosen. */
const MAX_FILE_BYTES = 256 * 1024

export interface LoadConfigOptions {
  readonly file?: string
  readonly env?: NodeJS.ProcessEnv
  readonly flags?: ConfigInput
}

/**
 * File < environment < flags, checked, defaults filled in.
 * @throws ConfigError CONFIG_UNREADABLE, CONFIG_INVALID with the key, what was expected and where it came from
 */
export async function loadConfig({
  file,
  env = process.env,
  flags = {}
}: LoadConfigOptions = {}): Promise<Config> {
  const fromFile = file === undefined ? {} : await readConfigFile(file)
  const fromEnv = readEnvironment(env)
  const given = Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined)
  ) as ConfigInput
  check(fromFile, file ?? 'the configuration file')
  check(fromEnv, 'the environment')
  check(given, 'the command line')
  const merged: ConfigInput = { ...fromFile, ...exclude(fromEnv), ...exclude(given) }
  // because a network named on a stronger level must not clash with a key file named on a weaker one
  const strongest = [given, fromEnv, fromFile].find(
    (level) => level.network !== undefined || level.networkKey !== undefined
  )
  if (strongest?.network !== undefined && strongest.networkKey !== undefined)
    throw new ConfigError('CONFIG_INVALID', 'network and networkKey exclude each other', {
      hint: 'Keep network for an open one, networkKey for a private one.'
    })
  return withDefaults({ ...merged, network: strongest?.network, networkKey: strongest?.networkKey }, env)
}

/** Fills in defaults; what is given is taken as checked. */
export function withDefaults(input: ConfigInput, env: NodeJS.ProcessEnv = process.env): Config {
  const defaults = Object.fromEntries(
    Object.entries(CONFIG_SCHEMA.properties).flatMap(([key, schema]) =>
      'default' in schema ? [[key, schema.default]] : []
    )
  ) as unknown as Config
  const given = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined)
  ) as ConfigInput
  const loopback = isLoopbackOnly(given.listen ?? defaults.listen)
  const config: Config = {
    ...defaults,
    dataDir: defaultDataDir(env),
    name: toName(hostname()),
    identity: defaultIdentity(env),
    publishAddress: loopback ? '127.0.0.1' : '0.0.0.0',
    ...given,
    policy: { ...defaults.policy, ...given.policy },
    budgets: toBudgets({ ...defaults.budgets, ...given.budgets }),
    ...reachOf({ ...defaults, ...given }, loopback)
  }
  if (config.role === 'bootstrap' && given.scheduling === true)
    throw new ConfigError(
      'CONFIG_INVALID',
      'a bootstrap node takes no workloads, so scheduling cannot be true'
    )
  if (config.portFirst > config.portLast)
    throw new ConfigError(
      'CONFIG_INVALID',
      `portFirst ${config.portFirst} is above portLast ${config.portLast}`
    )
  assertLabels(config)
  return config.network === undefined
    ? { ...config, networkKey: config.networkKey ?? defaultNetworkKey(env) }
    : config
}

function isLoopbackOnly(listen: readonly string[]): boolean {
  return listen.every((address) => /^\/(ip4\/127\.|ip6\/::1\/|memory\/|dns4?\/localhost\/)/.test(address))
}

/** What a node does to be found and reached. One on loopback asks nobody and is found by nobody, whatever it is told. */
function reachOf(
  { role, scheduling, relay, mdns, upnp, autonat, holePunching }: ConfigInput,
  loopback: boolean
): Pick<Config, 'scheduling' | 'relay' | 'mdns' | 'upnp' | 'autonat' | 'holePunching'> {
  const bootstrap = role === 'bootstrap'
  return {
    scheduling: !bootstrap && scheduling !== false,
    relay: relay ?? (bootstrap ? 'serve' : loopback ? 'off' : 'use'),
    mdns: !loopback && mdns !== false,
    upnp: !loopback && upnp === true,
    autonat: !loopback && autonat !== false,
    holePunching: !loopback && holePunching !== false
  }
}

function toBudgets(given: Readonly<Record<keyof Budgets, BudgetInput | string>>): Budgets {
  const one = (value: BudgetInput | string): BudgetInput => {
    if (typeof value !== 'string') return value
    const [burst, perSecond] = value.split('/').map(Number)
    return { burst: burst!, perSecond: perSecond! }
  }
  const { owners, strangers, newcomers, nodes } = given
  return { owners: one(owners), strangers: one(strangers), newcomers: one(newcomers), nodes: one(nodes) }
}

function exclude(level: ConfigInput): ConfigInput {
  const { network: _network, networkKey: _networkKey, ...rest } = level
  return rest
}

/** A name that others can type, from a host name. */
export function toName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/\..*$/, '')
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  return name === '' ? 'node' : name
}

async function readConfigFile(file: string): Promise<ConfigInput> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError('CONFIG_UNREADABLE', `cannot read the configuration file ${file}`, { cause })
  }
  if (text.length > MAX_FILE_BYTES)
    throw new ConfigError('CONFIG_INVALID', `${file} is larger than ${MAX_FILE_BYTES} bytes`)
  let documents: unknown[]
  try {
    documents = loadAll(text, { schema: CORE_SCHEMA, maxAliases: 0 }) // load() refuses a file of comments only
  } catch (cause) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `${file} is neither YAML nor JSON: ${String(cause).split('\n')[0]}`,
      { cause }
    )
  }
  if (documents.length > 1)
    throw new ConfigError('CONFIG_INVALID', `${file} holds ${documents.length} documents, expected one`)
  return (documents[0] ?? {}) as ConfigInput
}

function readEnvironment(env: NodeJS.ProcessEnv): ConfigInput {
  const found: [string, unknown][] = []
  for (const [key, schema] of Object.entries(CONFIG_SCHEMA.properties)) {
    const text = schema['x-env'] === undefined ? undefined : env[schema['x-env']]
    if (text !== undefined && text !== '') found.push([key, fromText(text, schema)])
  }
  return Object.fromEntries(found)
}

/** Lists are separated by commas, labels are K=V. What cannot be converted stays text and is refused by the schema. */
function fromText(text: string, { type }: PropertySchema): unknown {
  if (type === 'array') return text.split(',').map((item) => item.trim())
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'integer') return /^\d+$/.test(text) ? Number(text) : text
  if (type === 'object') return Object.fromEntries(text.split(',').map((pair) => splitPair(pair)))
  return text
}

/** "K=V" as a pair; without "=" the value is empty. */
export function splitPair(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

let compiled: ValidateFunction | undefined

/** Compiled on first use, because most commands are given nothing that is to be checked. */
function validator(): ValidateFunction {
  // not the schema itself, which is ours and which a test compiles: that costs every start more than all the rest
  compiled ??= new Ajv2020({ allErrors: true, strict: false, validateSchema: false }).compile(CONFIG_SCHEMA)
  return compiled
}

function check(input: ConfigInput, source: string): void {
  if (isNothing(input)) return
  const validate = validator()
  if (validate(input)) return
  // because an `if` that does not hold only says which of its branches did not, which is in the list by itself
  const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if')
  const problems = errors.slice(0, 10).map(explain)
  throw new ConfigError('CONFIG_INVALID', `${source}: ${problems.join('; ')}`, {
    details: { source, problems },
    hint: 'Every key is described in docs/CONFIG.md.'
  })
}

/** A file may hold what is no object at all, which is to be refused. */
function isNothing(input: ConfigInput): boolean {
  return typeof input === 'object' && !Array.isArray(input) && Object.keys(input).length === 0
}

function explain({ instancePath, message, params }: ErrorObject): string {
  const key = instancePath.replace(/^\//, '').replaceAll('/', '.')
  if ('additionalProperty' in params) return `unknown key ${String(params.additionalProperty)}`
  return `${key || 'the whole'} ${message}${'allowedValues' in params ? ` (${(params.allowedValues as string[]).join(', ')})` : ''}`
}

import type { PolicyInput } from '../manifest/index.ts'

/** Requests at once, and a second. */
export interface BudgetInput {
  readonly burst: number
  readonly perSecond: number
}

export type Budgets = Readonly<Record<'owners' | 'strangers' | 'newcomers' | 'nodes', BudgetInput>>

/** What a person may set; each key is described in schemas/config.json and docs/CONFIG.md. */
export interface ConfigInput {
  readonly dataDir?: string
  readonly name?: string
  readonly role?: 'node' | 'bootstrap'
  readonly listen?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly announceAddresses?: readonly string[]
  readonly relay?: 'off' | 'use' | 'serve'
  readonly relayReservations?: number
  readonly mdns?: boolean
  readonly upnp?: boolean
  readonly autonat?: boolean
  readonly holePunching?: boolean
  readonly engine?: 'auto' | 'podman' | 'docker' | 'mock'
  readonly network?: string
  readonly networkKey?: string
  readonly identity?: string
  readonly passphraseFile?: string
  readonly owners?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** `key=value:Effect` or `key:Effect`. */
  readonly taints?: readonly string[]
  readonly scheduling?: boolean
  readonly publishAddress?: string
  readonly portFirst?: number
  readonly portLast?: number
  readonly maxConcurrentDeployments?: number
  readonly policy?: { readonly own?: PolicyInput; readonly others?: PolicyInput }
  readonly secretsInEnvironment?: boolean
  readonly sealingKeyHours?: number
  readonly exec?: boolean
  readonly announce?: boolean
  readonly providerTtlSeconds?: number
  /** Each also as "BURST/PERSECOND", for the environment. */
  readonly budgets?: Partial<Readonly<Record<keyof Budgets, BudgetInput | string>>>
  readonly metrics?: string
  readonly logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
}

/** The same with every default filled in. `network` and `networkKey` exclude each other. */
export interface Config
  extends Required<
    Omit<ConfigInput, 'network' | 'networkKey' | 'passphraseFile' | 'metrics' | 'policy' | 'budgets'>
  > {
  readonly budgets: Budgets
  readonly policy: { readonly own: PolicyInput; readonly others: PolicyInput }
  readonly metrics?: string
  readonly network?: string
  readonly networkKey?: string
  readonly passphraseFile?: string
}

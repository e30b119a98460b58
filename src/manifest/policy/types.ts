/** Named after the levels of Kubernetes' Pod Security Standards; `strict` is their `restricted`, `open` their `privileged`. */
export type PolicyPreset = 'open' | 'baseline' | 'strict'

/** Amounts a policy may bound; what is left out is not bounded. */
export interface PolicyLimits {
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  /** Processes and threads of one container. */
  readonly pids?: number
  /** Written by a policy whose `egress` is `deny`: no network but loopback. */
  readonly network?: 'none'
}

/** What all copies of one manifest on one node may have together; what is left out is not bounded. */
export interface ManifestMaxima {
  readonly copies?: number
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  /** As the manifest asks for it: no engine here can bound a disk. */
  readonly storageBytes?: number
}

/** What a node asks of manifests. Every key may be overridden. */
export interface SandboxRules {
  /** Whether containers may run as root, or as whoever the image says. */
  readonly root: boolean
  /** Whether a process may gain more rights than its parent; false asks for `allowPrivilegeEscalation: false`. */
  readonly privilegeEscalation: boolean
  /** Whether every container must drop ALL capabilities. */
  readonly requireDropAll: boolean
  /** Which may be added; `any` leaves it to the manifest format. */
  readonly addCapabilities: 'any' | readonly string[]
  /** `confined`: not Unconfined; `declared`: RuntimeDefault must be written; `any` leaves it to the manifest format. */
  readonly seccomp: 'any' | 'confined' | 'declared'
  /** Whether every container must have a read-only root file system. */
  readonly requireReadOnlyRoot: boolean
  /** Where images may come from: `registry.example`, `registry.example/team/`, or one repository. Empty: from anywhere. */
  readonly registries: readonly string[]
  /** Whether every image must be pinned by `@sha256:…`. */
  readonly requireDigest: boolean
  /** Whether a manifest may choose ports and addresses of the machine: hostPort, hostIP, nodePort. */
  readonly hostPorts: boolean
  /** Whether Secrets may go into the environment, where the engine keeps them in its own state. */
  readonly secretsInEnvironment: boolean
  /** `deny`: no network but loopback, for which a workload must publish no ports. */
  readonly egress: 'allow' | 'deny'
  /** Written into containers that state none. */
  readonly defaultLimits: PolicyLimits
  /** Of each container. */
  readonly maxPerContainer: PolicyLimits
  /** Of all copies of one manifest on this node. */
  readonly maxPerManifest: ManifestMaxima
}

export interface SandboxPolicy extends SandboxRules {
  readonly preset: PolicyPreset
  /** Where it was set, such as `policy.others`; for messages only. */
  readonly source?: string
}

/** As a person writes it: a preset, or a preset with some keys of its own. A key that is overridden is replaced whole. */
export type PolicyInput =
  | PolicyPreset
  | { readonly preset: PolicyPreset; readonly overrides?: Partial<SandboxRules> }

/** One thing a policy does not allow, in one place. Never holds the value of an environment variable. */
export interface PolicyViolation {
  /** In the workload's document, such as `spec.containers[0].image`; in another one with its kind and name before it. */
  readonly path: string
  /** A key of {@link SandboxRules}, or a rule that holds under every policy. */
  readonly rule: PolicyRule
  /** One clause that goes on after the path. */
  readonly message: string
}

/** Rules without a key: no policy allows these. */
export const FIXED_RULES = [
  'privileged',
  'hostNamespaces',
  'hostPath',
  'volumeTypes',
  'procMount',
  'sysctls',
  'seLinux',
  'appArmor',
  'windows',
  'probeHost'
] as const

export type PolicyRule = (typeof FIXED_RULES)[number] | Exclude<keyof SandboxRules, 'defaultLimits'>

import type { PolicyInput, PolicyPreset, SandboxPolicy, SandboxRules } from './types.ts'

const MIB = 1024 * 1024

/**
 * The presets as data. Source of every line marked "PSS": Kubernetes' Pod Security Standards, profiles Baseline and Restricted,
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/. What these forbid and no manifest may say anyway
 * (privileged, host namespaces, hostPath, …) holds under every preset: see rules/host.ts.
 */
export const PRESETS: Readonly<Record<PolicyPreset, SandboxRules>> = {
  /** Whatever the manifest format accepts. */
  open: {
    root: true,
    privilegeEscalation: true,
    requireDropAll: false,
    addCapabilities: 'any',
    seccomp: 'any',
    requireReadOnlyRoot: false,
    registries: [],
    requireDigest: false,
    hostPorts: true,
    secretsInEnvironment: true,
    egress: 'allow',
    defaultLimits: {},
    maxPerContainer: {},
    maxPerManifest: {}
  },
  baseline: {
    root: true,
    privilegeEscalation: true,
    requireDropAll: false,
    // PSS baseline "Capabilities". AUDIT_WRITE and MKNOD are in it too, and the manifest format refuses them.
    addCapabilities: [
      ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
      ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']
    ],
    // PSS baseline "Seccomp": must not be Unconfined. The manifest format has no Localhost, which PSS allows.
    seccomp: 'confined',
    // PSS has no word on these four, in neither profile
    requireReadOnlyRoot: false,
    registries: [],
    requireDigest: false,
    secretsInEnvironment: true,
    // PSS baseline "Host Ports". nodePort and hostIP are no part of it; here they too choose a port or an address of the machine.
    hostPorts: false,
    egress: 'allow', // PSS leaves the network to other means
    // not of PSS: as many as `podman run` allows by default, so that a fork bomb stays in its container
    defaultLimits: { pids: 2048 },
    maxPerContainer: {},
    maxPerManifest: {}
  },
  strict: {
    root: false, // PSS restricted "Running as Non-root" and "Running as Non-root user"
    privilegeEscalation: false, // PSS restricted "Privilege Escalation"
    requireDropAll: true, // PSS restricted "Capabilities"
    addCapabilities: ['NET_BIND_SERVICE'], // the same
    seccomp: 'declared', // PSS restricted "Seccomp": RuntimeDefault must be written. Localhost as above.
    requireReadOnlyRoot: false, // as above
    registries: [],
    requireDigest: false,
    secretsInEnvironment: true,
    hostPorts: false, // PSS baseline, which restricted includes
    egress: 'allow',
    // not of PSS. Chosen, no evidence yet: a guest that states nothing gets a small share, and cannot take the kernel's last PID.
    defaultLimits: { cpuMillis: 500, memoryBytes: 256 * MIB, pids: 1024 },
    maxPerContainer: { pids: 4096 },
    maxPerManifest: {}
  }
}

export const POLICY_PRESETS = Object.keys(PRESETS) as readonly PolicyPreset[]

/** The policy that a person's words mean. @param source where they stand, for messages */
export function resolvePolicy(input: PolicyInput, source?: string): SandboxPolicy {
  const { preset, overrides = {} } = typeof input === 'string' ? { preset: input } : input
  return { ...PRESETS[preset], ...overrides, preset, ...(source === undefined ? {} : { source }) }
}

import { expect } from 'chai'
import type { PolicyPreset } from '../../../src/manifest/index.ts'
import { POLICY_PRESETS } from '../../../src/manifest/index.ts'
import { FIXED_RULES } from '../../../src/manifest/policy/types.ts'
import { STRICT_SECURITY } from '../../fixtures/workload-files.ts'
import { container, parseOne, pod, secret, service } from '../fixtures/manifests.ts'
import { brokenBy, forged, rulesBroken, strictContainer } from './fixtures.ts'

const PATH = 'spec.containers[0]'
const SECURITY = `${PATH}.securityContext`

interface Case {
  readonly says: string
  readonly broken: (preset: PolicyPreset) => string[]
  readonly expected: Readonly<Record<PolicyPreset, readonly string[]>>
}

const inStrict = (...violations: string[]) => ({ open: [], baseline: [], strict: violations })
const inBoth = (...violations: string[]) => ({ open: [], baseline: violations, strict: violations })
const nowhere = { open: [], baseline: [], strict: [] }
const of = (security: object, fields: Record<string, unknown> = {}) => ({
  broken: (preset: PolicyPreset) => brokenBy(preset, strictContainer(fields, { ...security }))
})

/** What each preset says to one change of a container that all of them accept. */
const CASES: readonly Case[] = [
  { says: 'the container all presets accept', ...of({}), expected: nowhere },
  {
    says: 'no user at all',
    ...of({ runAsNonRoot: undefined, runAsUser: undefined }),
    expected: inStrict(`root ${SECURITY}.runAsNonRoot`, `root ${SECURITY}.runAsUser`)
  },
  {
    says: 'user 0',
    ...of({ runAsNonRoot: undefined, runAsUser: 0 }),
    expected: inStrict(`root ${SECURITY}.runAsNonRoot`, `root ${SECURITY}.runAsUser`)
  },
  {
    says: 'a user above 0 without runAsNonRoot',
    ...of({ runAsNonRoot: undefined }),
    expected: inStrict(`root ${SECURITY}.runAsNonRoot`)
  },
  {
    says: 'a container that takes back what the pod says of users',
    broken: (preset) =>
      brokenBy(preset, strictContainer({}, { runAsNonRoot: false, runAsUser: 0 }), {
        securityContext: { runAsNonRoot: true, runAsUser: 1000 }
      }),
    expected: inStrict(`root ${SECURITY}.runAsNonRoot`, `root ${SECURITY}.runAsUser`)
  },
  {
    says: 'users and seccomp said at the pod',
    broken: (preset) =>
      brokenBy(
        preset,
        strictContainer({}, { runAsNonRoot: undefined, runAsUser: undefined, seccompProfile: undefined }),
        {
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            seccompProfile: { type: 'RuntimeDefault' }
          }
        }
      ),
    expected: nowhere
  },
  {
    says: 'allowPrivilegeEscalation left out',
    ...of({ allowPrivilegeEscalation: undefined }),
    expected: inStrict(`privilegeEscalation ${SECURITY}.allowPrivilegeEscalation`)
  },
  {
    says: 'allowPrivilegeEscalation true',
    ...of({ allowPrivilegeEscalation: true }),
    expected: inStrict(`privilegeEscalation ${SECURITY}.allowPrivilegeEscalation`)
  },
  {
    says: 'capabilities left out',
    ...of({ capabilities: undefined }),
    expected: inStrict(`requireDropAll ${SECURITY}.capabilities.drop`)
  },
  {
    says: 'only some capabilities dropped',
    ...of({ capabilities: { drop: ['NET_RAW'] } }),
    expected: inStrict(`requireDropAll ${SECURITY}.capabilities.drop`)
  },
  { says: 'drop: [all] in small letters', ...of({ capabilities: { drop: ['all'] } }), expected: nowhere },
  {
    says: 'NET_BIND_SERVICE given back',
    ...of({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }),
    expected: nowhere
  },
  {
    says: 'a default capability given back',
    ...of({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE', 'CHOWN'] } }),
    expected: inStrict(`addCapabilities ${SECURITY}.capabilities.add[1]`)
  },
  {
    says: 'a capability beyond the defaults, had the format let it through',
    broken: (preset) =>
      rulesBroken(
        forged({ container: { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } } }),
        preset
      ),
    expected: inBoth(`addCapabilities ${SECURITY}.capabilities.add[0]`)
  },
  {
    says: 'no seccompProfile',
    ...of({ seccompProfile: undefined }),
    expected: inStrict(`seccomp ${SECURITY}.seccompProfile`)
  },
  {
    says: 'seccomp Unconfined, had the format let it through',
    broken: (preset) =>
      rulesBroken(
        forged({ container: { securityContext: { seccompProfile: { type: 'Unconfined' } } } }),
        preset
      ),
    expected: inBoth(`seccomp ${SECURITY}.seccompProfile`)
  },
  { says: 'a writable root file system', ...of({ readOnlyRootFilesystem: false }), expected: nowhere },
  {
    says: 'a hostPort',
    ...of({}, { ports: [{ containerPort: 80, hostPort: 8080 }] }),
    expected: inBoth(`hostPorts ${PATH}.ports[0].hostPort`)
  },
  {
    says: 'an address of the machine',
    ...of({}, { ports: [{ containerPort: 80, hostIP: '0.0.0.0' }] }),
    expected: inBoth(`hostPorts ${PATH}.ports[0].hostIP`)
  },
  {
    says: 'a port that the node chooses',
    ...of({}, { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }] }),
    expected: nowhere
  },
  {
    says: 'a nodePort of a Service',
    broken: (preset) =>
      rulesBroken(
        parseOne(
          pod(
            { containers: [strictContainer({ ports: [{ containerPort: 80 }] })] },
            { labels: { app: 'web' } }
          ),
          service('web', { app: 'web' }, { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })
        ),
        preset
      ),
    expected: inBoth('hostPorts Service web: spec.ports[0].nodePort')
  },
  {
    says: 'a Secret in the environment',
    broken: (preset) =>
      rulesBroken(
        parseOne(
          pod({ containers: [strictContainer({ envFrom: [{ secretRef: { name: 'keys' } }] })] }),
          secret('keys', { a: 'b' })
        ),
        preset
      ),
    expected: nowhere
  },
  { says: 'an image by tag, from anywhere', ...of({}, { image: 'nginx' }), expected: nowhere },
  {
    says: 'a huge pids limit',
    broken: (preset) =>
      rulesBroken(
        parseOne(
          pod({ containers: [strictContainer()] }, { annotations: { 'beemesh.io/pids-limit': '32768' } })
        ),
        preset
      ),
    expected: inStrict('maxPerContainer metadata.annotations["beemesh.io/pids-limit"]')
  },
  {
    says: 'a container without limits, which get the defaults',
    ...of({}, { resources: {} }),
    expected: nowhere
  },
  {
    says: 'limits as large as the format takes',
    ...of({}, { resources: { limits: { cpu: 1000, memory: '1Ti' } } }),
    expected: nowhere
  }
]

describe('manifest: the presets of the sandbox policy', () => {
  for (const { says, broken, expected } of CASES)
    for (const preset of POLICY_PRESETS)
      it(`${preset} ${expected[preset].length === 0 ? 'accepts' : 'refuses'} ${says}`, () => {
        expect(broken(preset)).to.deep.equal(expected[preset])
      })
})

describe('manifest: what no sandbox policy allows, had the format let it through', () => {
  const forgeries: Readonly<Record<(typeof FIXED_RULES)[number], [Parameters<typeof forged>[0], string][]>> =
    {
      privileged: [[{ container: { securityContext: { privileged: true } } }, `${SECURITY}.privileged`]],
      hostNamespaces: ['hostNetwork', 'hostPID', 'hostIPC'].map((field) => [
        { pod: { [field]: true } },
        `spec.${field}`
      ]),
      hostPath: [
        [{ pod: { volumes: [{ name: 'v', hostPath: { path: '/' } }] } }, 'spec.volumes[0].hostPath'],
        [
          { pod: { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] } },
          'spec.volumes[0].hostPath'
        ]
      ],
      volumeTypes: [[{ pod: { volumes: [{ name: 'v', nfs: { server: 'a' } }] } }, 'spec.volumes[0].nfs']],
      procMount: [[{ container: { securityContext: { procMount: 'Unmasked' } } }, `${SECURITY}.procMount`]],
      sysctls: [
        [
          { pod: { securityContext: { sysctls: [{ name: 'kernel.shmmax', value: '1' }] } } },
          'spec.securityContext.sysctls'
        ]
      ],
      seLinux: [
        [
          { container: { securityContext: { seLinuxOptions: { type: 'spc_t' } } } },
          `${SECURITY}.seLinuxOptions`
        ],
        [
          { pod: { securityContext: { seLinuxOptions: { type: 'spc_t' } } } },
          'spec.securityContext.seLinuxOptions'
        ]
      ],
      appArmor: [
        [
          { container: { securityContext: { appArmorProfile: { type: 'Unconfined' } } } },
          `${SECURITY}.appArmorProfile`
        ]
      ],
      windows: [
        [
          { container: { securityContext: { windowsOptions: { hostProcess: true } } } },
          `${SECURITY}.windowsOptions`
        ]
      ],
      probeHost: [
        [
          { container: { livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } } },
          `${PATH}.livenessProbe.httpGet.host`
        ],
        [
          { container: { startupProbe: { tcpSocket: { host: '127.0.0.1', port: 22 } } } },
          `${PATH}.startupProbe.tcpSocket.host`
        ]
      ]
    }

  for (const rule of FIXED_RULES)
    for (const [change, path] of forgeries[rule])
      for (const preset of POLICY_PRESETS)
        it(`${preset} refuses ${path}`, () => {
          expect(rulesBroken(forged(change), preset)).to.deep.equal([`${rule} ${path}`])
        })

  it('accepts what says no to all of these', () => {
    const security = { ...STRICT_SECURITY, privileged: false, procMount: 'Default' }
    const plain = { hostNetwork: false, hostPID: false, hostIPC: false }
    for (const preset of POLICY_PRESETS)
      expect(brokenBy(preset, container({ securityContext: security }), plain)).to.deep.equal([])
  })
})

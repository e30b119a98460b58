import { expect } from 'chai'
import { readSchema, SCHEMA_NAMES, type SchemaName } from '../../src/manifest/check/check-schema.ts'
import { WORKLOAD_KINDS } from '../../src/manifest/index.ts'
import { asRecord, asText, isRecord, type JsonRecord, joinPath } from '../../src/manifest/objects/json.ts'
import {
  autoscaler,
  claim,
  claimTemplate,
  configMap,
  container,
  cronJob,
  daemonSet,
  deployment,
  job,
  parseOne,
  pod,
  refuseAt,
  secret,
  service,
  statefulSet
} from './fixtures/manifests.ts'

/** A document of each kind with every object that holds refused fields, so that one can be put in by its path. */
function skeleton(kind: string): JsonRecord {
  const inner = container({
    env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    resources: { limits: {}, requests: {} },
    volumeMounts: [{ name: 'v', mountPath: '/v' }],
    startupProbe: { httpGet: { port: 80 } },
    livenessProbe: { tcpSocket: { port: 80 } },
    readinessProbe: { exec: { command: ['true'] } },
    securityContext: { capabilities: {}, seccompProfile: { type: 'RuntimeDefault' } },
    envFrom: [],
    ports: [{ containerPort: 80 }]
  })
  const spec = {
    containers: [inner],
    volumes: [{ name: 'v', emptyDir: {} }],
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } }
  }
  if (kind === 'Pod') return pod(spec)
  if (kind === 'Deployment') return deployment({ strategy: { rollingUpdate: {} } }, spec)
  if (kind === 'StatefulSet')
    return statefulSet({ volumeClaimTemplates: [claimTemplate('data')], updateStrategy: {} }, spec)
  if (kind === 'DaemonSet') return daemonSet({ updateStrategy: {} }, spec)
  if (kind === 'Job') return job({}, spec)
  if (kind === 'CronJob') return cronJob({}, {}, spec)
  if (kind === 'Service') return service('x', { app: 'web' })
  if (kind === 'PersistentVolumeClaim') return claim('x')
  if (kind === 'HorizontalPodAutoscaler') return autoscaler()
  if (kind === 'Namespace') return { apiVersion: 'v1', kind, metadata: { name: 'default' } }
  return kind === 'Secret' ? secret('x', {}) : configMap('x', {})
}

interface Row {
  readonly path: readonly (string | number)[]
  readonly reason: string
}

/** Every field that is refused whatever its value, found in the schemas themselves. */
function refusedFields(schema: JsonRecord, file: JsonRecord, path: readonly (string | number)[] = []): Row[] {
  const [resolved, context] = resolve(schema, file)
  if (resolved.not !== undefined) return [{ path, reason: asText(resolved['x-reason']) ?? '' }]
  if (isRecord(resolved.items)) return refusedFields(resolved.items, context, [...path, 0])
  return Object.entries(asRecord(resolved.properties)).flatMap(([name, child]) =>
    refusedFields(asRecord(child), context, [...path, name])
  )
}

function resolve(schema: JsonRecord, file: JsonRecord): [JsonRecord, JsonRecord] {
  const ref = asText(schema.$ref)
  if (ref === undefined) return [schema, file]
  const [target = '', pointer = ''] = ref.split('#')
  const context = target === '' ? file : readSchema(target.replace('.schema.json', '') as SchemaName)
  const found = asRecord(
    pointer
      .split('/')
      .slice(1)
      .reduce<unknown>((value, key) => asRecord(value)[key], context)
  )
  return [{ ...found, ...schema }, context]
}

function setAt(root: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [head, ...rest] = path
  if (head === undefined) return value
  if (typeof head === 'number') return [setAt((root as unknown[] | undefined)?.[0], rest, value)]
  return { ...asRecord(root), [head]: setAt(asRecord(root)[head], rest, value) }
}

const KINDS = {
  Pod: 'pod',
  Deployment: 'deployment',
  StatefulSet: 'stateful-set',
  DaemonSet: 'daemon-set',
  Job: 'job',
  CronJob: 'cron-job',
  ConfigMap: 'config-map',
  Secret: 'secret',
  PersistentVolumeClaim: 'persistent-volume-claim',
  Service: 'service',
  HorizontalPodAutoscaler: 'horizontal-pod-autoscaler',
  Namespace: 'namespace'
} as const

describe('manifest/fields', () => {
  it('has the skeletons accepted, so that what is refused below is refused for its field', () => {
    for (const kind of Object.keys(WORKLOAD_KINDS)) parseOne(skeleton(kind))
    parseOne(skeleton('Deployment'), skeleton('Service'), skeleton('Namespace'))
  })

  it('says of every field in the schemas how it is supported, and of every refused one why', () => {
    const silent: string[] = []
    const visit = (name: string, schema: JsonRecord) => {
      for (const [field, child] of Object.entries(asRecord(schema.properties)).map(
        ([key, one]) => [key, asRecord(one)] as const
      )) {
        const [resolved] = resolve(child, readSchema(name as SchemaName))
        if (!['honoured', 'by-node', 'refused'].includes(String(resolved['x-support'])))
          silent.push(`${name}: ${field}`)
        if (resolved['x-support'] === 'refused' && !resolved['x-reason'])
          silent.push(`${name}: ${field}, why`)
        visit(name, child)
        visit(name, asRecord(child.items))
      }
    }
    for (const name of SCHEMA_NAMES) {
      const schema = readSchema(name)
      for (const one of [schema, ...Object.values(asRecord(schema.$defs)).map(asRecord)]) visit(name, one)
    }
    expect(silent).to.deep.equal([])
  })

  for (const [kind, name] of Object.entries(KINDS)) {
    const rows = refusedFields(readSchema(name), readSchema(name))
    for (const { path, reason } of rows) {
      const text = path.reduce<string>((parent, key) => joinPath(parent, key), '')
      it(`refuses ${text} of a ${kind} with its path and reason`, () => {
        const document = setAt(skeleton(kind), path, { anything: true })
        const violation = refuseAt(text, 'MANIFEST_UNSUPPORTED_FIELD', document)
        expect(violation.rule).to.equal('refused')
        expect(violation.message).to.include(reason)
      })
    }
    it(`finds refused fields in the schema of a ${kind}`, () => {
      expect(rows.length).to.be.greaterThan(3)
    })
  }

  const main = 'spec.containers[0]'
  const inMain = (fields: Record<string, unknown>) => pod({ containers: [container(fields)] })
  const unsupported: readonly (readonly [what: string, path: string, document: object])[] = [
    [
      'a privileged container',
      `${main}.securityContext.privileged`,
      inMain({ securityContext: { privileged: true } })
    ],
    ['the host network', 'spec.hostNetwork', pod({ hostNetwork: true })],
    ['the host PID namespace', 'spec.hostPID', pod({ hostPID: true })],
    ['the host IPC namespace', 'spec.hostIPC', pod({ hostIPC: true })],
    ['a host path', 'spec.volumes[0].hostPath', pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] })],
    ['a shared process namespace', 'spec.shareProcessNamespace', pod({ shareProcessNamespace: true })],
    [
      'a service account token',
      'spec.automountServiceAccountToken',
      pod({ automountServiceAccountToken: true })
    ],
    ['another scheduler', 'spec.schedulerName', pod({ schedulerName: 'mine' })],
    ['another DNS policy', 'spec.dnsPolicy', pod({ dnsPolicy: 'None' })],
    [
      'seccomp switched off',
      'spec.securityContext.seccompProfile.type',
      pod({ securityContext: { seccompProfile: { type: 'Unconfined' } } })
    ],
    [
      'an unmasked /proc',
      `${main}.securityContext.procMount`,
      inMain({ securityContext: { procMount: 'Unmasked' } })
    ],
    [
      'a capability engines do not give',
      `${main}.securityContext.capabilities.add[0]`,
      inMain({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } })
    ],
    ['a terminal', `${main}.tty`, inMain({ tty: true })],
    [
      'mounts that propagate',
      `${main}.volumeMounts[0].mountPropagation`,
      pod({
        volumes: [{ name: 'v' }],
        containers: [
          container({ volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }] })
        ]
      })
    ],
    [
      'a field of the node in env',
      `${main}.env[0].valueFrom.fieldRef.fieldPath`,
      inMain({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] })
    ],
    [
      'ports of an init container',
      'spec.initContainers[0].ports',
      pod({ initContainers: [container({ name: 'i', ports: [{ containerPort: 1 }] })] })
    ],
    [
      'runAsNonRoot without a user',
      `${main}.securityContext.runAsUser`,
      pod({ securityContext: { runAsNonRoot: true } })
    ],
    [
      'runAsNonRoot with root',
      `${main}.securityContext.runAsUser`,
      pod({
        securityContext: { runAsNonRoot: true, runAsUser: 1000 },
        containers: [container({ securityContext: { runAsUser: 0 } })]
      })
    ],
    [
      'a size limit on disk',
      'spec.volumes[0].emptyDir.sizeLimit',
      pod({ volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }] })
    ],
    [
      'a label of beemesh',
      'metadata.labels["beemesh.io/node"]',
      pod({}, { labels: { 'beemesh.io/node': 'x' } })
    ],
    [
      'a label in a domain below beemesh.io',
      'metadata.labels["x.beemesh.io/node"]',
      pod({}, { labels: { 'x.beemesh.io/node': 'x' } })
    ],
    [
      'a label that Podman obeys',
      'metadata.labels["io.containers.autoupdate"]',
      pod({}, { labels: { 'io.containers.autoupdate': 'registry' } })
    ],
    [
      'an unknown annotation of beemesh',
      'metadata.annotations["beemesh.io/enigne"]',
      pod({}, { annotations: { 'beemesh.io/enigne': 'x' } })
    ],
    [
      'the engine annotation on a template',
      'spec.template.metadata.annotations["beemesh.io/engine"]',
      deployment({
        template: {
          metadata: { labels: { app: 'web' }, annotations: { 'beemesh.io/engine': 'mock' } },
          spec: { containers: [container()] }
        }
      })
    ],
    [
      'an AppArmor annotation',
      'metadata.annotations["container.apparmor.security.beta.kubernetes.io/main"]',
      pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': 'unconfined' } })
    ],
    ['a token Secret', 'type', secret('s', {}, { type: 'kubernetes.io/service-account-token' })]
  ]
  for (const [what, path, document] of unsupported)
    it(`refuses ${what} with its path`, () => {
      refuseAt(path, 'MANIFEST_UNSUPPORTED_FIELD', document)
    })

  it('accepts defaults written out, as charts do', () => {
    const securityContext = {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 101,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      seccompProfile: { type: 'RuntimeDefault' }
    }
    parseOne(
      deployment(
        {
          revisionHistoryLimit: 3,
          progressDeadlineSeconds: 600,
          minReadySeconds: 0,
          paused: false,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } }
        },
        {
          hostNetwork: false,
          hostPID: false,
          hostIPC: false,
          dnsPolicy: 'ClusterFirst',
          schedulerName: 'default-scheduler',
          restartPolicy: 'Always',
          enableServiceLinks: true,
          automountServiceAccountToken: false,
          containers: [container({ securityContext, stdin: false, tty: false })]
        }
      )
    )
  })
})

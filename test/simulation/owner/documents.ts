import { type Manifest, parseManifests } from '../../../src/manifest/index.ts'
import { deployment, toYaml } from '../../fixtures/workload-files.ts'

/** What a workload is, by the first letter of its name. */
const KINDS = { w: 'Deployment', f: 'fenced', j: 'Job', c: 'CronJob', h: 'scaled', d: 'DaemonSet' } as const
export type SimulatedKind = (typeof KINDS)[keyof typeof KINDS]

/** What a scaled one may have at most, for each copy that its owner asked for. */
const MOST_PER_REPLICA = 2
/** What each of its copies asks for, thousandths of a CPU, and how much of that it is to use. */
export const SCALED = { requestMillis: 100, target: 0.5 } as const

export function kindOf(name: string): SimulatedKind {
  return KINDS[name[0] as keyof typeof KINDS]
}

/** Whether its copies are never to run twice. */
export function isFenced(name: string): boolean {
  return kindOf(name) === 'fenced'
}

const parsed = new Map<string, Manifest>()

/** @param change what makes the document another one */
export function documentOf(name: string, replicas: number, change: number): Manifest {
  const text = toYaml(...objectsOf(name, replicas, change))
  const manifest = parsed.get(text) ?? parseManifests(text, { file: `${name}.yaml` })[0]!
  if (parsed.size > 2_000) parsed.clear()
  parsed.set(text, manifest)
  return manifest
}

function objectsOf(name: string, replicas: number, change: number): object[] {
  const command = [`v${change}`]
  switch (kindOf(name)) {
    case 'Job':
      return [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name },
          spec: job(replicas, replicas + change, command)
        }
      ]
    case 'CronJob': {
      const jobTemplate = { spec: job(1, 1, command) }
      const spec = { schedule: '* * * * *', jobTemplate }
      return [{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec }]
    }
    case 'scaled': {
      const requests = { cpu: `${SCALED.requestMillis}m` }
      return [
        deployment({ name, replicas, command, requests }),
        autoscaler(name, MOST_PER_REPLICA * replicas)
      ]
    }
    case 'DaemonSet': {
      const { spec, ...rest } = deployment({ name, command }) as { spec: { replicas?: number } }
      delete spec.replicas
      return [{ ...rest, kind: 'DaemonSet', spec }]
    }
    default: {
      const annotations = isFenced(name) ? { 'beemesh.io/on-partition': 'fence' } : undefined
      return [deployment({ name, replicas, annotations, command })]
    }
  }
}

function job(parallelism: number, completions: number, command: readonly string[]): object {
  const container = {
    name: 'main',
    image: 'localhost/beemesh-demo:1',
    imagePullPolicy: 'IfNotPresent',
    command
  }
  const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [container] }
  return { parallelism, completions, backoffLimit: 50, template: { spec } }
}

function autoscaler(name: string, maxReplicas: number): object {
  const target = { type: 'Utilization', averageUtilization: SCALED.target * 100 }
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 10 } }
    }
  }
}

/** @param name of a manifest, or of one of its copies */
export function endsByItself(name: string): boolean {
  return kindOf(name) === 'Job' || kindOf(name) === 'CronJob'
}

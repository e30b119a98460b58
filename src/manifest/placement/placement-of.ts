import { NODES_ANNOTATION, PRIORITY_ANNOTATION, PRIORITY_CLASSES, STRATEGY_ANNOTATION } from '../constants.ts'
import { asRecord, asText, own } from '../objects/json.ts'
import { podTemplateOf } from '../objects/kube.ts'
import type { KubeObject } from '../types.ts'
import type { NodeExpression, NodeField, NodeTerm, PlacementRules, Strategy, Toleration } from './types.ts'

interface KubeTerm {
  readonly matchExpressions?: readonly (Omit<NodeExpression, 'values'> & Partial<NodeExpression>)[]
  readonly matchFields?: readonly NodeField[]
}

interface KubePlacement {
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms: readonly KubeTerm[]
      }
      readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
        readonly weight: number
        readonly preference: KubeTerm
      }[]
    }
    readonly podAntiAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly { readonly topologyKey: string }[]
      readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
        readonly weight: number
        readonly podAffinityTerm: { readonly topologyKey: string }
      }[]
    }
  }
  readonly tolerations?: readonly Partial<Toleration>[]
  readonly topologySpreadConstraints?: readonly {
    readonly maxSkew: number
    readonly topologyKey: string
    readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'
  }[]
  readonly priorityClassName?: string
}

/** Where copies of a validated workload may run. */
export function placementOf(workload: KubeObject): PlacementRules {
  const spec = podTemplateOf(workload).spec as KubePlacement
  const annotations = asRecord(workload.metadata.annotations)
  const { nodeAffinity = {}, podAntiAffinity = {} } = spec.affinity ?? {}
  const annotated = asText(own(annotations, PRIORITY_ANNOTATION))
  const named = asText(own(annotations, NODES_ANNOTATION))
  return {
    strategy: (asText(own(annotations, STRATEGY_ANNOTATION)) ?? 'auto') as Strategy,
    nodes: named === undefined ? [] : splitNodes(named),
    nodeSelector: spec.nodeSelector ?? {},
    requiredTerms: (nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).map(
      toTerm
    ),
    preferredTerms: (nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      .map(({ weight, preference }) => ({ weight, term: toTerm(preference) }))
      // because in Kubernetes an empty preference says nothing
      .filter(({ term }) => term.expressions.length + term.fields.length > 0),
    apart: [
      ...(podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(({ topologyKey }) => ({
        topologyKey,
        required: true,
        weight: 0
      })),
      ...(podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ weight, podAffinityTerm: { topologyKey } }) => ({ topologyKey, required: false, weight })
      )
    ],
    tolerations: (spec.tolerations ?? []).map(toToleration),
    spread: (spec.topologySpreadConstraints ?? []).map(({ maxSkew, topologyKey, whenUnsatisfiable }) => ({
      maxSkew,
      topologyKey,
      required: whenUnsatisfiable === 'DoNotSchedule'
    })),
    priority:
      (annotated === undefined ? undefined : parsePriority(annotated)) ??
      own(PRIORITY_CLASSES, spec.priorityClassName ?? '') ??
      0
  }
}

/** The nodes in annotation `beemesh.io/nodes`. */
export function splitNodes(text: string): string[] {
  return text.split(',').map((one) => one.trim())
}

/** A whole number in plain digits; undefined for anything else. */
export function parsePriority(text: string): number | undefined {
  return /^(?:0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : undefined
}

function toTerm({ matchExpressions = [], matchFields = [] }: KubeTerm): NodeTerm {
  return {
    expressions: matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })),
    fields: matchFields.map(({ key, operator, values }) => ({ key, operator, values }))
  }
}

function toToleration({ key, operator = 'Equal', value, effect }: Partial<Toleration>): Toleration {
  return {
    ...(key === undefined ? {} : { key }),
    operator,
    ...(value === undefined ? {} : { value }),
    ...(effect === undefined ? {} : { effect })
  }
}

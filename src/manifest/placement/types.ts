import type { STRATEGIES } from '../constants.ts'

export type Strategy = (typeof STRATEGIES)[number]

/** Where copies of a manifest may run and where they had better. In clear in its record, because keepers place without the manifest. */
export interface PlacementRules {
  /** From annotation `beemesh.io/strategy`. @default 'auto' */
  readonly strategy: Strategy
  /** Names or peer IDs, from annotation `beemesh.io/nodes`: these and no others, taken in this order by `manual`. Empty: all. */
  readonly nodes: readonly string[]
  /** Labels that a node must have. */
  readonly nodeSelector: Readonly<Record<string, string>>
  /** One of these must match; empty: no demand. */
  readonly requiredTerms: readonly NodeTerm[]
  /** Weight 1 to 100. */
  readonly preferredTerms: readonly { readonly weight: number; readonly term: NodeTerm }[]
  /** Copies of the same manifest keep apart by the value of a label. The weight is 0 where it is required. */
  readonly apart: readonly {
    readonly topologyKey: string
    readonly required: boolean
    readonly weight: number
  }[]
  readonly tolerations: readonly Toleration[]
  readonly spread: readonly {
    readonly maxSkew: number
    readonly topologyKey: string
    readonly required: boolean
  }[]
  /** Higher goes first. @default 0 */
  readonly priority: number
}

/** All expressions and fields must hold; one with neither matches no node. */
export interface NodeTerm {
  readonly expressions: readonly NodeExpression[]
  readonly fields: readonly NodeField[]
}

/** About a label of a node. */
export interface NodeExpression {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
  readonly values: readonly string[]
}

/** About the name of a node. */
export interface NodeField {
  readonly key: 'metadata.name'
  readonly operator: 'In' | 'NotIn'
  readonly values: readonly string[]
}

export interface Toleration {
  /** undefined: every key. */
  readonly key?: string
  readonly operator: 'Equal' | 'Exists'
  readonly value?: string
  /** undefined: every effect. */
  readonly effect?: TaintEffect
}

export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'

/** What a node says to keep copies away that do not tolerate it. */
export interface Taint {
  readonly key: string
  readonly value: string
  readonly effect: TaintEffect
}

/** What of a node its labels are made of. */
export interface LabelledNode {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
}

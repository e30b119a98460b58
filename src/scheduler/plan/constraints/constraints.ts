import type { PlacementRules, Taint } from '../../../manifest/index.ts'
import type { Candidate, PlanRequest, Refusal, Room } from '../types.ts'
import type { NodeState, World } from '../world.ts'
import { formatBytes, formatCpu } from './amounts.ts'
import { describeExpression, describeTaint, holds, matchesTerm, tolerates } from './match.ts'

interface FixedNode {
  readonly candidate: Candidate
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
}

/** Why a node can take nothing, whatever is placed where; undefined when it may. */
export function fixedRefusal(
  node: FixedNode,
  request: PlanRequest,
  isNameShared: boolean
): Refusal | undefined {
  const { candidate, taints } = node
  const { rules, engine, avoid } = request
  if (!candidate.scheduling)
    return { one: 'takes no workloads (cordoned, or --no-scheduling)', many: 'take no workloads' }
  const avoided = avoid?.get(candidate.peerId)
  if (avoided !== undefined) return { one: `is avoided: ${avoided}`, many: 'are avoided' }
  if (rules.nodes.includes(candidate.name) && isNameShared && !rules.nodes.includes(candidate.peerId))
    return {
      one: `shares the name ${candidate.name} with another node; write its peer ID`,
      many: 'share a name; write the peer ID'
    }
  if (!isNamed(candidate, rules))
    return { one: 'is none of the nodes that are named', many: 'are none of the nodes that are named' }
  if (engine !== undefined && !candidate.engines.includes(engine))
    return { one: `has no engine ${engine}`, many: `have no engine ${engine}` }
  const missing = Object.entries(rules.nodeSelector).find(([key, value]) => labelOf(node, key) !== value)
  if (missing !== undefined) {
    const [key, value] = missing
    const has = labelOf(node, key)
    const instead = has === undefined ? '' : ` (it has ${key}=${has})`
    return { one: `has no label ${key}=${value}${instead}`, many: `have no label ${key}=${value}` }
  }
  if (!meetsTerms(node, rules)) return termRefusal(node, rules)
  const taint = taints.find((one) => one.effect !== 'PreferNoSchedule' && !tolerates(rules.tolerations, one))
  if (taint === undefined) return undefined
  const text = `taint ${describeTaint(taint)}, which is not tolerated`
  return { one: `has ${text}`, many: `have ${text}` }
}

/** Whether names, selector and required terms let it run there at all: such nodes count for spread constraints. */
export function mayEverRun(node: FixedNode, rules: PlacementRules): boolean {
  return (
    isNamed(node.candidate, rules) &&
    Object.entries(rules.nodeSelector).every(([key, value]) => labelOf(node, key) === value) &&
    meetsTerms(node, rules)
  )
}

/** Why a node can take no copy as things are now; undefined when it can. */
export function refusalNow(state: NodeState, world: World): Refusal | undefined {
  if (state.refusal !== undefined) return state.refusal
  const room = roomRefusal(state.free, world.request.perCopy)
  if (room !== undefined) return room
  for (const { required, topologyKey, counts } of world.apart)
    if (required && (counts.of(state) ?? 0) > 0) {
      const text = `${topologyKey} with a copy that must be apart`
      return {
        one: `shares ${topologyKey}=${labelOf(state, topologyKey)} with a copy that must be apart`,
        many: `share ${text}`
      }
    }
  for (const { required, topologyKey, maxSkew, counts } of world.spread) {
    if (!required) continue
    const copies = counts.of(state)
    if (copies === undefined)
      return {
        one: `has no label ${topologyKey}, over which copies are spread`,
        many: `have no label ${topologyKey}, over which copies are spread`
      }
    if (copies + 1 - counts.range().least > maxSkew)
      return {
        one: `is in ${topologyKey}=${labelOf(state, topologyKey)}, which would be more than ${maxSkew} above the one with the fewest copies`,
        many: `are where ${topologyKey} would be more than ${maxSkew} above the one with the fewest copies`
      }
  }
  return undefined
}

function isNamed({ name, peerId }: Candidate, { nodes }: PlacementRules): boolean {
  return nodes.length === 0 || nodes.includes(name) || nodes.includes(peerId)
}

function labelOf({ labels }: Pick<FixedNode, 'labels'>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

function meetsTerms({ candidate: { name }, labels }: FixedNode, { requiredTerms }: PlacementRules): boolean {
  return requiredTerms.length === 0 || requiredTerms.some((term) => matchesTerm({ name, labels }, term))
}

function termRefusal({ labels }: FixedNode, { requiredTerms }: PlacementRules): Refusal {
  const [term] = requiredTerms
  const failed = term?.expressions.find((one) => !holds(labels, one))
  if (requiredTerms.length > 1 || failed === undefined)
    return { one: 'matches no required node term', many: 'match no required node term' }
  const text = `the required term ${describeExpression(failed)}`
  return { one: `does not match ${text}`, many: `do not match ${text}` }
}

const RESOURCES = [
  ['cpu', 'cpuMillis', formatCpu],
  ['memory', 'memoryBytes', formatBytes],
  ['disk', 'storageBytes', formatBytes],
  ['room for a pod', 'pods', String]
] as const

/** As the node itself would say (workloads/copies/capacity.ts), also to a copy that asks for no disk. */
const DISK_FULL: Refusal = {
  one: 'keeps its last GiB of disk for itself',
  many: 'keep their last GiB of disk'
}

function roomRefusal(free: Room, perCopy: Omit<Room, 'pods'>): Refusal | undefined {
  const needed: Room = { ...perCopy, pods: 1 }
  const lacking = RESOURCES.filter(([, field]) => needed[field] > 0 && !(free[field] >= needed[field])).map(
    ([name, field, format]) => {
      const missing = needed[field] - free[field]
      return {
        name,
        share: missing / needed[field],
        text: `${format(missing)} short`,
        isPods: field === 'pods'
      }
    }
  )
  if (lacking.length === 0) return free.storageBytes > 0 ? undefined : DISK_FULL
  const names = lacking.map(({ name }) => name).join(' and ')
  const short = lacking
    .filter(({ isPods }) => !isPods)
    .map(({ name, text }) => (lacking.length === 1 ? text : `${name} ${text}`))
    .join(', ')
  return {
    one: `lacks ${names}${short === '' ? '' : `: ${short}`}`,
    many: `lack ${names}`,
    ...(short === '' ? {} : { short: { text: short, share: Math.max(...lacking.map(({ share }) => share)) } })
  }
}

/**
 * Places where a node may die with the most to lose. Named here, driven by crash tests: at each of them the process is
 * killed, and what was acknowledged must be found again after the next start.
 */
export const FAULT_POINTS = [
  'apply:checked',
  'apply:stored',
  'apply:one-deployed',
  'apply:all-deployed',
  'apply:settled',
  'number:stored',
  'rollout:stored',
  'rollout:old-stopped-first',
  'rollout:new-deployed',
  'rollout:new-ready',
  'rollout:old-removed',
  'rollout:committed',
  'rollback:new-removed',
  'rollback:old-restored',
  'delete:stored',
  'delete:one-removed',
  'delete:finished'
] as const
export type FaultPoint = (typeof FAULT_POINTS)[number]

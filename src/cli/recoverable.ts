import type { ManifestStatusView } from '../client/index.ts'
import { describeRef } from './output.ts'

/** `5/3/5 shares`: live ones, those that rebuild the key, all; `2 standbys` where there are none. Empty: not asked, or nobody keeps it. */
export function recoverableText({ recoverable }: Pick<ManifestStatusView, 'recoverable'>): string {
  if (recoverable === undefined) return ''
  const { liveHolders, threshold, holders, standbys } = recoverable
  if (threshold > 0) return `${liveHolders}/${threshold}/${holders} shares`
  return standbys === 1 ? '1 standby' : `${standbys} standbys`
}

/** What a person should do something about, one line each. */
export function warningsOf(status: ManifestStatusView): string[] {
  const { recoverable, atRisk, missing, replicas } = status
  const name = describeRef(status)
  const lines: string[] = []
  if (missing > 0) lines.push(`${name}: ${missing} of ${replicas} copies do not run`)
  if (atRisk && recoverable !== undefined) {
    const { liveHolders, threshold } = recoverable
    const left =
      threshold === 0
        ? 'only one node that is alive has its key'
        : `${liveHolders} shares of its key are alive and ${threshold} are needed`
    lines.push(`${name} may be lost with the next node: ${left}; apply it again to seal it to more nodes`)
  }
  return lines
}

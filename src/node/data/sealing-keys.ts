import type { AuditRecorder } from '../../audit/index.ts'
import type { Config } from '../../config/index.ts'
import type { MembersService } from '../../members/index.ts'
import { type Resealer, SealingKeyRotation, type SealingKeyring } from '../../sealing/index.ts'
import type { NodeLogger } from '../../telemetry/index.ts'

const HOUR_MS = 60 * 60 * 1000

/** Has the node's sealing key replaced in time, the others told of it, and it written down that it happened. */
export function keepSealingKeys(
  keys: SealingKeyring,
  {
    config,
    now,
    log,
    recorder,
    services,
    resealers
  }: {
    readonly config: Pick<Config, 'sealingKeyHours'>
    readonly now?: () => number
    readonly log: NodeLogger
    readonly recorder: Pick<AuditRecorder, 'did'>
    readonly services: { readonly members: Pick<MembersService, 'refresh'> }
    /** One for each store of what is sealed to this node. */
    readonly resealers: readonly Resealer[]
  }
): SealingKeyRotation {
  return new SealingKeyRotation({
    keys,
    intervalMs: config.sealingKeyHours * HOUR_MS,
    now,
    resealers,
    onRotated: ({ epoch }) => {
      log.info({ epoch }, 'new sealing key')
      recorder.did({ type: 'sealing-key-made' })
      services.members.refresh()
    },
    onDestroyed: (epoch) => {
      log.info({ epoch }, 'old sealing key destroyed')
      recorder.did({ type: 'sealing-key-destroyed' })
    },
    onError: (error) =>
      log.error({ error: String(error) }, 'the sealing key could not be replaced; tried again')
  })
}

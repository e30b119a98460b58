import type { World } from '../../types.ts'

/** A node that has just started finds the others within this, unless it is cut off. Chosen: some round trips on a busy machine. */
const MEET_PATIENCE_MS = 3_000
/** A node that runs for longer and sees nobody is alone, and does not keep its owner waiting each time. Chosen: above what meeting takes. */
const JUST_STARTED_MS = 10_000
const LOOK_MS = 50

/**
 * Waits until another member is known. A node that has just come back would else call a version safe that it alone has.
 * Resolves when there is one, or when it is clear that there is none to reach now.
 */
export async function meetOthers(
  world: Pick<World, 'neighbours' | 'delay' | 'now' | 'startedAtMs'>,
  { signal }: { readonly signal: AbortSignal }
): Promise<void> {
  if (world.now() - world.startedAtMs >= JUST_STARTED_MS) return
  for (let waitedMs = 0; waitedMs < MEET_PATIENCE_MS; waitedMs += LOOK_MS) {
    if (world.neighbours().some(({ self }) => !self)) return
    await world.delay(LOOK_MS, { signal })
  }
}

import { type Command, InvalidArgumentError } from 'commander'
import { type MovedView, type MoveView, planRebalance, rebalance } from '../../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../../client-options.ts'
import { EXIT } from '../../exit-codes.ts'
import { duration, table } from '../../output.ts'
import { movedTable, stepPrinter } from './drain.ts'

interface RebalanceOptions extends ClientOptions {
  readonly dryRun?: boolean
  readonly max: number
}

/** The nodes end a little before the command does, so that they can still say what they have done. */
const MARGIN_MS = 1_500

/** `beemesh rebalance` */
export function addRebalance(program: Command): void {
  withClientOptions(program.command('rebalance'))
    .description('move copies of yours that would better run elsewhere, as when nodes have joined')
    .option('--dry-run', 'show which; change nothing')
    .option('--max <number>', 'copies to move at most', parseMax, 10)
    .action(run)
}

async function run(options: RebalanceOptions): Promise<void> {
  const startedAt = performance.now()
  await withClient(options, async ({ client, output, signal }) => {
    const maxMoves = options.max
    if (options.dryRun === true) {
      const moves = await planRebalance(client, { maxMoves, signal })
      return output.result({ moves, copies: [] }, () => movesText(moves))
    }
    const timeoutMs = Math.max(1, Math.round(options.timeout - MARGIN_MS))
    const onStep = stepPrinter(output, startedAt)
    const { moves, copies } = await rebalance(client, { maxMoves, timeoutMs, onStep, signal })
    output.result({ moves, copies }, () => movedText(moves, copies, performance.now() - startedAt))
    if (copies.some(({ state }) => state !== 'moved')) process.exitCode = EXIT.failed
  })
}

function movesText(moves: readonly MoveView[]): string {
  if (moves.length === 0) return 'Every copy is where it belongs.'
  const rows = moves.map(({ name, ordinal, fromName, toName, reason }) => [
    name,
    String(ordinal),
    fromName,
    toName,
    reason
  ])
  return table(['NAME', 'COPY', 'FROM', 'TO', 'WHY'], rows)
}

function movedText(moves: readonly MoveView[], copies: readonly MovedView[], durationMs: number): string {
  if (moves.length === 0) return movesText(moves)
  const moved = copies.filter(({ state }) => state === 'moved').length
  return `${movedTable(copies)}\n${moved} of ${moves.length} moved (${duration(durationMs)})`
}

function parseMax(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('Expected a number of copies, such as 10.')
  return Number(text)
}

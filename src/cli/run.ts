import { Command, CommanderError } from 'commander'
import { addApply } from './commands/apply.ts'
import { addAudit } from './commands/audit.ts'
import { addRestart, addScale } from './commands/change/change.ts'
import { addRollout } from './commands/change/rollout.ts'
import { addDelete } from './commands/delete.ts'
import { addEvents } from './commands/events.ts'
import { addExec } from './commands/exec.ts'
import { addExplain } from './commands/explain.ts'
import { addGet } from './commands/get.ts'
import { addProviders, addStatus, addValidate } from './commands/inspect.ts'
import { addJoin } from './commands/join.ts'
import { addLogs } from './commands/logs.ts'
import { addNodeStart } from './commands/node-start.ts'
import { addDrain } from './commands/nodes/drain.ts'
import { addRebalance } from './commands/nodes/rebalance.ts'
import { addTop } from './commands/top.ts'
import { addEvict } from './commands/trust/evict.ts'
import { addGrant } from './commands/trust/grant.ts'
import { addIdentity } from './commands/trust/identity.ts'
import { addInspectAs } from './commands/trust/inspect-as.ts'
import { addInvite } from './commands/trust/invite.ts'
import { addTrust } from './commands/trust/trust.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { Output } from './output.ts'

/** The whole command tree; exported so that tests and generated docs read the same. */
export function createProgram(): Command {
  const program = new Command('beemesh')
    .description('run container workloads on a mesh of machines, with no control plane')
    .showHelpAfterError('(see: beemesh --help)')
  addNodeStart(program.command('node').description('this machine as a node'))
  addApply(program)
  addExplain(program)
  addGet(program)
  addStatus(program)
  addProviders(program)
  addTop(program)
  addLogs(program)
  addEvents(program)
  addExec(program)
  addAudit(program)
  addScale(program)
  addRestart(program)
  addRollout(program)
  addDelete(program)
  addEvict(program)
  addInspectAs(program)
  addValidate(program)
  addDrain(program)
  addRebalance(program)
  addInvite(program)
  addJoin(program)
  addGrant(program)
  addIdentity(program)
  addTrust(program)
  return program
}

/** Runs one command line and ends the process with its exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  const json = wantsJson(argv)
  const program = createProgram()
  for (const command of everyCommand(program)) {
    command.exitOverride()
    if (json) command.configureOutput({ writeErr: () => {} })
  }
  try {
    await program.parseAsync(argv as string[])
  } catch (error) {
    process.exitCode = finish(error, json)
  }
  // because a libp2p host or a follow that was cut short may hold handles; what matters is written
  await flushed()
  process.exit()
}

function finish(error: unknown, json: boolean): number {
  if (!(error instanceof CommanderError)) return new Output(json ? 'json' : 'table').error(error)
  if (error.exitCode === 0) return EXIT.done
  if (json) new Output('json').error(new CliError('USAGE', error.message.replace(/^error: /, '')))
  return EXIT.usage
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (arg, index) =>
      ['-ojson', '-o=json', '--output=json'].includes(arg) ||
      (arg === 'json' && ['-o', '--output'].includes(argv[index - 1] ?? ''))
  )
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function flushed(): Promise<unknown> {
  const drain = (stream: NodeJS.WriteStream) => new Promise((resolve) => stream.write('', resolve))
  return Promise.all([drain(process.stdout), drain(process.stderr)])
}

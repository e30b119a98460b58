import type { Command } from 'commander'
import type { TerminalSize } from '../../client/index.ts'
import { type ClientOptions, interrupted, withClient, withClientOptions } from '../client-options.ts'
import { CliError } from '../errors.ts'

interface ExecOptions extends ClientOptions {
  readonly container?: string
  readonly stdin?: boolean
  readonly tty?: boolean
  readonly workload?: string
}

/** `beemesh exec REF -- CMD` */
export function addExec(program: Command): void {
  withClientOptions(program.command('exec'))
    .description('run a command in a copy, where its node allows it; its exit code is the result')
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .argument('<command...>', 'program and arguments, after "--"; no shell')
    .option('-c, --container <name>', 'container (default: the first)')
    .option('-w, --workload <id>', 'copy (default: the first that runs)')
    .option('-i, --stdin', 'pass on what is typed')
    .option('-t, --tty', 'with a terminal')
    .action(exec)
}

async function exec(ref: string, command: string[], options: ExecOptions): Promise<void> {
  const tty = options.tty === true
  if (tty && !process.stdin.isTTY) throw new CliError('USAGE', '--tty needs a terminal on standard input')
  const input = options.stdin === true || tty ? process.stdin : undefined
  await withClient(options, async ({ client }) => {
    if (tty) process.stdin.setRawMode(true)
    try {
      const { exitCode } = await client.exec(ref, {
        command,
        container: options.container,
        workloadId: options.workload,
        tty,
        stdin: input,
        size: tty ? terminalSize() : undefined,
        resizes: tty ? resizes() : undefined,
        signal: tty ? undefined : interrupted(), // in a terminal Ctrl-C is typed into the command
        onOutput: (stream, data) => written(stream === 'stderr' ? process.stderr : process.stdout, data)
      })
      process.exitCode = exitCode
    } finally {
      if (tty) process.stdin.setRawMode(false)
    }
  })
}

function terminalSize(): TerminalSize {
  return { columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 }
}

async function* resizes(): AsyncGenerator<TerminalSize> {
  for (;;) {
    await new Promise((resolve) => process.stdout.once('resize', resolve))
    yield terminalSize()
  }
}

/** Waits when the terminal or the pipe is slower than the command. */
function written(stream: NodeJS.WriteStream, data: Uint8Array): Promise<void> | undefined {
  if (stream.write(data)) return undefined
  return new Promise((resolve) => stream.once('drain', resolve))
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { DEBUGGER_PORT, heldMemory } from '../../bench/live-memory.ts'

const MIB = 1024 * 1024
/** Makes 20 MiB of objects, and of buffers, at each word it hears; keeps them when the word is "keep". */
const SCRIPT = `
  const kept = []
  process.stdin.on('data', (word) => {
    const made = [Array.from({ length: 20 * 1024 }, (_, index) => Array(128).fill(index / 3)), Buffer.alloc(20 * ${MIB}, 1)]
    if (String(word) === 'keep') kept.push(made)
    process.stdout.write('.')
  })
  process.stdout.write('.')`

describe('bench: what a process holds', () => {
  let child: ChildProcess
  afterEach(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })

  it('is what it can still reach, and not its garbage, as often as it is asked', async () => {
    // given
    child = spawn(process.execPath, [DEBUGGER_PORT, '-e', SCRIPT])
    const node = { pid: child.pid!, stderr: '' }
    child.stderr!.on('data', (text) => {
      node.stderr += text
    })
    await once(child.stdout!, 'data')
    const hear = async (word: string) => {
      child.stdin!.write(word)
      await once(child.stdout!, 'data')
      return heldMemory(node)
    }

    // when
    const before = await heldMemory(node)
    const wasted = await hear('waste')
    const kept = await hear('keep')

    // then
    expect(before.live / MIB).to.be.within(1, 20)
    expect((wasted.live - before.live) / MIB).to.be.below(5)
    expect((kept.live - wasted.live) / MIB).to.be.within(35, 50)
    expect(kept.resident).to.be.above(kept.live)
  })
})

/** The one of the thirty that is a process of its own, so that it can stand still, have another clock and a full disk, all really. */
import { join } from 'node:path'
import { type BeemeshNode, createNode } from '../../../../src/node/index.ts'
import { EngineRegistry } from '../../../../src/runtime/index.ts'
import { createLogger } from '../../../../src/telemetry/index.ts'
import { configOf, knowledgeOf } from './machine.ts'
import type { OutsideAnswer, OutsideQuestion } from './outside.ts'
import { WatchedEngine } from './watched-engine.ts'

const [, , name = '', path = ''] = process.argv
const send = (answer: OutsideAnswer) => void process.send!(answer)
const engine = new WatchedEngine(name, () => send({ copies: [...engine.copies.values()] }))
const realNow = Date.now.bind(Date)
let node: BeemeshNode | undefined

const verbs = {
  async start({ bootstrap = [], skewMs = 0 }: OutsideQuestion) {
    Date.now = () => realNow() + skewMs
    const engines = new EngineRegistry()
    engines.register(engine)
    node = await createNode(configOf({ name, path }, bootstrap), {
      engines,
      runtimeDir: join(path, 'run'),
      logger: createLogger('silent')
    })
    await node.start()
    return { peerId: node.peerId, address: node.addresses()[0]! }
  },
  async stop() {
    await node?.stop()
  },
  async knows() {
    return knowledgeOf(node!)
  }
}

process.on('message', async (question: OutsideQuestion) => {
  try {
    send({ id: question.id, result: await verbs[question.verb](question) })
  } catch (error) {
    send({ id: question.id, error: String((error as Error).stack) })
  }
})
process.once('disconnect', () => process.exit()) // because nobody is to outlive the story

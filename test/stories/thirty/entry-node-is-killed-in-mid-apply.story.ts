import { deployment } from '../../fixtures/workload-files.ts'
import { REPLACED_MS } from './mesh/deadlines.ts'
import { story } from './mesh/use-thirty.ts'

const COPIES = 6

story(
  'the entry node is killed in mid-apply: what one node has taken, the keepers complete',
  async (mesh, say) => {
    // given
    const entry = mesh.outside // whose process can really be killed, and with it the owner's connection
    const document = deployment({ name: mesh.freshName(), replicas: COPIES })
    // when
    const killed = mesh.taken().then(() => entry.powerOff())
    const outcome = await mesh.owner.apply(entry.peerId, document).then(
      ({ placements }) => placements.map(({ error, state }) => error?.code ?? state).join(),
      (error: Error) => String(error)
    )
    await killed
    // then
    const [id, { acknowledged }] = [...mesh.owner.manifests].at(-1)!
    say(`the owner hears: ${outcome}; ${acknowledged > 0 ? 'acknowledged' : 'nothing was acknowledged'}`)
    say(
      `${COPIES} copies, of ${mesh.copiesOf(id).length}, after ${await mesh.replaced(id, COPIES, REPLACED_MS)} ms`
    )
    await mesh.start(entry)
  }
)

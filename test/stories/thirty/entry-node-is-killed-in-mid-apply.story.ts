import { deployment } from '../../fixtures/workload-files.ts'
import { REPLACED_MS } from './mesh/thirty.ts'
import { story } from './mesh/use-thirty.ts'

const COPIES = 6

story(
  'the entry node is killed in mid-apply: what one node has taken is completed by the keepers',
  async (mesh, say) => {
    // given
    const entry = mesh.nodes[7]!
    const document = deployment({ name: mesh.freshName(), replicas: COPIES })
    // when
    const outcome = await mesh.owner.apply(entry.peerId, document, { onTaken: () => entry.kill() }).then(
      ({ placements }) => placements.map(({ error, state }) => error?.code ?? state).join(),
      (error: Error) => String(error)
    )
    // then
    const [id] = [...mesh.owner.manifests].find(([, { acknowledged }]) => acknowledged > 0)!
    say(`the owner hears: ${outcome.slice(0, 200)}; ${mesh.copiesOf(id).length} copies run`)
    say(`${COPIES} copies after ${await mesh.replaced(id, COPIES, REPLACED_MS)} ms`)
    await mesh.start(entry)
  }
)

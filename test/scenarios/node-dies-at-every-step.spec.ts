import { join } from 'node:path'
import { expect } from 'chai'
import {
  Client,
  findLocalNodes,
  loadSigningKey,
  localConnection,
  type ManifestStatusView,
  parseManifests,
  Session
} from '../../src/index.ts'
import { FAULT_POINTS, type FaultPoint } from '../../src/workloads/index.ts'
import { NodeProcess } from '../fixtures/node-process.ts'
import { containersOf, DEMO_IMAGE, requirePodman } from '../fixtures/podman.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { until } from '../fixtures/until.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

const REPLICAS = 2
const CONVERGE_MS = 20_000
/** Cases at once; each is a node process of its own, and its pods. */
const CONCURRENCY = 4
const SERVE = ['/bin/sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait']

/** What must be there after the next start: nothing, the copies of the first version, one of them, or those of the second. */
type Truth = 'nothing' | 'first' | 'one' | 'second'

interface Story {
  readonly what: string
  readonly points: readonly FaultPoint[]
  /** What the node is asked when it dies. */
  readonly act: (client: Client) => Promise<unknown>
  /** Whether a first version runs before. */
  readonly given: boolean
  readonly hostPort?: boolean
  readonly truth: (point: FaultPoint) => Truth
}

const ports = 29_100 + (process.pid % 500)
const web = (version: string, image = DEMO_IMAGE, hostPort?: number, replicas = REPLICAS) =>
  parseManifests(
    toYaml(
      deployment({
        name: 'web',
        replicas: hostPort === undefined ? replicas : 1,
        image,
        command: [...SERVE.slice(0, 2), `${SERVE[2]} # ${version}`],
        containerPort: hostPort === undefined ? undefined : 8080,
        hostPort
      })
    )
  )

const STORIES: readonly Story[] = [
  {
    what: 'a first apply',
    points: ['apply:checked', 'apply:stored', 'apply:one-deployed', 'apply:all-deployed', 'apply:settled'],
    given: false,
    act: (client) => client.apply(web('1')),
    truth: (point) => (point === 'apply:checked' ? 'nothing' : 'first')
  },
  {
    what: 'an update',
    points: [
      'rollout:stored',
      'rollout:new-deployed',
      'rollout:new-ready',
      'rollout:old-removed',
      'rollout:committed'
    ],
    given: true,
    act: (client) => client.apply(web('2')),
    truth: () => 'second'
  },
  {
    what: 'an update that has to free the host port first',
    points: ['rollout:old-stopped-first'],
    given: true,
    hostPort: true,
    act: (client) => client.apply(web('2', DEMO_IMAGE, ports)),
    truth: () => 'second'
  },
  {
    what: 'an update that turns back',
    points: ['rollback:new-removed', 'rollback:old-restored'],
    given: true,
    act: (client) => client.apply(web('2', 'localhost/not-there:1')),
    truth: () => 'first'
  },
  {
    what: 'fewer copies',
    points: ['number:stored'],
    given: true,
    act: (client) => client.apply(web('1', DEMO_IMAGE, undefined, 1)),
    truth: () => 'one'
  },
  {
    what: 'a delete',
    points: ['delete:stored', 'delete:one-removed', 'delete:finished'],
    given: true,
    act: (client) => client.delete('web'),
    truth: () => 'nothing'
  }
]

describe('a node that is killed at any step', () => {
  it('has a story for every fault point', () => {
    expect(STORIES.flatMap(({ points }) => points)).to.have.members([...FAULT_POINTS])
  })

  const running = new Map<string, Promise<void>>()

  before(async function () {
    this.timeout(180_000)
    await requirePodman(this)
    const waiting = STORIES.flatMap((story) => story.points.map((point) => ({ story, point })))
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const outcome = die(next.story, next.point)
        running.set(next.point, outcome)
        await outcome.catch(() => {}) // its own `it` reports the failure
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  })

  for (const { what, points, truth } of STORIES)
    for (const point of points)
      it(`${what}, at ${point}: after the next start there is ${sentence(truth(point))}`, async () => {
        await running.get(point)
      })
})

function sentence(truth: Truth): string {
  if (truth === 'nothing') return 'nothing, and no orphan'
  if (truth === 'one') return 'one copy of the first version'
  return `the ${truth} version, each copy once`
}

async function die(story: Story, point: FaultPoint): Promise<void> {
  const home = await createTestHome()
  try {
    // given
    const hostPort = story.hostPort ? ports : undefined
    const doomed = new NodeProcess({
      home,
      name: 'n',
      engine: 'podman',
      env: { ...home.env, BEEMESH_TEST_KILL_AT: point }
    })
    await doomed.start()
    const client = await connect(home)
    let first: string[] = []
    if (story.given) {
      const [result] = await client.apply(web('1', DEMO_IMAGE, hostPort))
      expect(result!.placements.map(({ error }) => error)).to.deep.equal(
        result!.placements.map(() => undefined)
      )
      first = result!.placements.map(({ workloadId }) => workloadId)
    }

    // when
    await Promise.all([story.act(client).catch(() => {}), doomed.ended()])
    const reborn = new NodeProcess({ home, name: 'n', engine: 'podman' })
    await reborn.start()

    // then
    const again = await connect(home)
    await until(
      `for ${story.what} that died at ${point} to converge`,
      async () => ((await isTruth(story.truth(point), { client: again, reborn, first })) ? true : undefined),
      { deadlineMs: CONVERGE_MS }
    ).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${JSON.stringify(await again.workloads())}\n${reborn.stderr}`)
    })
  } finally {
    await home.close()
  }
}

async function isTruth(
  truth: Truth,
  { client, reborn, first }: { client: Client; reborn: NodeProcess; first: readonly string[] }
): Promise<boolean> {
  const [status] = await client.workloads()
  const ids = idsOf(status)
  const pods = (await containersOf(reborn.peerId)).map(({ name }) => name.replace(/-main$/, ''))
  if (pods.sort().join() !== ids.join()) return false
  if (truth === 'nothing') return status === undefined
  const allRun = status?.placements.every(({ state }) => state === 'running' || state === 'ready') ?? false
  if (!allRun || status?.replicas !== ids.length) return false
  if (first.length === 0) return true // a first apply: whatever runs is the first version
  const isFirst = ids.join() === [...first].sort().join()
  if (truth === 'one') return ids.length === 1 && first.includes(ids[0]!)
  return truth === 'first' ? isFirst : ids.every((id) => !first.includes(id))
}

function idsOf(status: ManifestStatusView | undefined): string[] {
  return (status?.placements ?? []).map(({ workloadId }) => workloadId).sort()
}

async function connect(home: TestHome): Promise<Client> {
  const [node] = await findLocalNodes(join(home.path, 'run'))
  const key = await loadSigningKey(join(home.env.XDG_CONFIG_HOME!, 'beemesh', 'identity'))
  return new Client({ session: new Session(key, localConnection(node!)), roots: node!.owners })
}

/**
 * `npm run bench:heal [-- RUNS [SWARM_RUNS [PARTITIONS]]]`: how long it takes until a copy that was lost with its host runs again elsewhere.
 * Five hosts on this machine, each with its own network, processes and Podman (scripts/hosts.sh), a node on each; three copies, `spread`.
 * Beside them, in turn, five more hosts with a dockerd each as a Docker Swarm (three managers, two workers).
 *
 *   process killed   kill -9 of everything on the host, daemon and containers; its kernel closes the connections
 *   power gone       the cable is pulled, then the same: nobody is told anything
 *
 * From before the first command of the loss to the moment the new copy, having answered an HTTP request, reports to this machine from
 * another host. Then the host comes back, and it is waited until three copies run, none twice, by everybody's word and by the kernel's.
 * A partition parts two hosts from three for a minute. Root only; everything is taken down at the end, however it ends.
 */
import { execa } from 'execa'
import { Hosts } from '../test/fixtures/hosts.ts'
import { podmanEnv } from '../test/fixtures/podman.ts'
import { ROOT } from '../test/fixtures/test-home.ts'
import { Bees } from './heal/bees.ts'
import { Calls } from './heal/calls.ts'
import { IMAGE, type Loss } from './heal/cluster.ts'
import { line, seconds } from './heal/figures.ts'
import { partition } from './heal/partition.ts'
import { loseOne, type Round, settle } from './heal/round.ts'
import { STEPS, type Steps, stepsOf } from './heal/steps.ts'
import { Swarm } from './heal/swarm.ts'

const LOSSES: readonly Loss[] = ['process killed', 'power gone']
/** Of a round that took longer, what the nodes said is printed, too. */
const SLOW_MS = 8_000
const runs = Number(process.argv[2] ?? 30)
const swarmRuns = Number(process.argv[3] ?? runs)
const partitions = Number(process.argv[4] ?? 3)

const why = swarmRuns > 0 ? await Swarm.missing() : 'it was not asked for'
if (why !== undefined) console.log(`without Docker Swarm: ${why}`)
await execa('sh', [`${ROOT}/scripts/make-image.sh`, IMAGE], { env: podmanEnv() })
const calls = new Calls()
const port = await calls.open()
const hosts = await Hosts.up(why === undefined ? 10 : 5)
const bees = new Bees(hosts, [1, 2, 3, 4, 5], port)
const swarm = why === undefined ? new Swarm(hosts, [6, 7, 8, 9, 10], port) : undefined
const rounds: Round[] = []
const steps: { loss: Loss; steps: Steps }[] = []

async function measure(cluster: Bees | Swarm, loss: Loss, index: number): Promise<void> {
  const round = await loseOne(cluster, { hosts, calls, loss, index })
  rounds.push(round)
  if (cluster === bees) steps.push({ loss, steps: await stepsOf(bees, { ...round, loss }) })
  const shown = Object.entries(cluster === bees ? steps.at(-1)!.steps : {})
    .map(([name, ms]) => `${name} ${ms}`)
    .join(', ')
  const more = round.started
    .filter(({ ms }) => ms > round.healedMs)
    .map(({ ms, host }) => `; ANOTHER COPY on ${host} after ${seconds(ms)}`)
  const role = round.role === undefined ? '' : `, ${round.role}`
  console.log(
    `${cluster.name}, ${loss}: host ${round.lost}${role}, back on ${round.replacement} after ${seconds(round.healedMs)}, begun after ${seconds(round.beganMs)}; settled ${seconds(round.settledMs)} after the host began to start${shown && `; ${shown}`}${more.join('')}`
  )
  if ((more.length > 0 || round.healedMs > SLOW_MS) && cluster === bees)
    for (const { node, atMs, message } of bees.lines.filter((one) => one.atMs >= round.fromMs))
      console.log(`    ${atMs - round.fromMs} ${node}: ${message}`)
}

const broken = new Set<Bees | Swarm>()

/** One that did not come to rest is left alone from then on, so that the figures of before are not lost. */
async function attempt(cluster: Bees | Swarm, loss: Loss, index: number): Promise<void> {
  if (broken.has(cluster)) return
  try {
    await measure(cluster, loss, index)
  } catch (error) {
    broken.add(cluster)
    process.exitCode = 1
    console.log(`${cluster.name}, ${loss}: NOT MEASURED FURTHER: ${error}`)
  }
}

function report(cluster: Bees | Swarm): void {
  console.log(`\n${cluster.name}`)
  for (const loss of LOSSES) {
    const own = rounds.filter((round) => round.cluster === cluster.name && round.loss === loss)
    console.log(
      line(
        `  ${loss}, until the copy is back`,
        own.map(({ healedMs }) => healedMs)
      )
    )
    for (const role of new Set(own.flatMap(({ role }) => role ?? [])))
      console.log(
        line(
          `    when it was a ${role}`,
          own.filter((one) => one.role === role).map(({ healedMs }) => healedMs)
        )
      )
    if (cluster === bees)
      for (const step of STEPS) {
        const taken = steps.filter((one) => one.loss === loss).flatMap((one) => one.steps[step] ?? [])
        console.log(line(`    ${step}`, taken))
      }
    console.log(
      line(
        '  host started again, until all is settled',
        own.map(({ settledMs }) => settledMs)
      )
    )
    const needless = own.reduce((sum, { started }) => sum + started.length - 1, 0)
    console.log(`  copies started beside those that were missing: ${needless}`)
  }
}

try {
  await hosts.load(IMAGE)
  await bees.start()
  await swarm?.start()
  for (const cluster of swarm === undefined ? [bees] : [bees, swarm]) await settle(cluster, hosts)
  for (let index = 0; index < Math.max(runs, swarm === undefined ? 0 : swarmRuns); index++)
    for (const loss of LOSSES) {
      if (index < runs) await attempt(bees, loss, index)
      // spread over the whole time when there are fewer
      const turn = Math.floor(((index + 1) * swarmRuns) / runs) > Math.floor((index * swarmRuns) / runs)
      if (swarm !== undefined && (runs <= swarmRuns || turn)) await attempt(swarm, loss, index)
    }
  report(bees)
  if (swarm !== undefined) report(swarm)
  if (partitions > 0) console.log('\n2 hosts parted from 3')
  for (let index = 0; index < partitions; index++) console.log(await partition(bees, { hosts, index }))
} finally {
  calls.close()
  await hosts.down()
  await swarm?.clear()
}

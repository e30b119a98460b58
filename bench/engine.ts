/**
 * `npm run bench:engine [ROUNDS]`: what a node adds to Podman, and what it saves. Ratios within one run, on this machine.
 *
 *   apply of one pod on a warm node, from send to running   against `podman kube play` of the same pod
 *   delete until container, name and port are gone          against `podman kube down`
 *   ten pods applied at once                                against ten plays in a row
 */
import { readFileSync } from 'node:fs'
import { parseManifests } from '../src/index.ts'
import { openStage, podYaml, report, run, timed } from './stage.ts'

const rounds = Number(process.argv[2] ?? 15)
const conf = (() => {
  try {
    return /^CONTAINERS_CONF=(.+)$/m.exec(
      readFileSync(new URL('../.setup/env', import.meta.url), 'utf8')
    )?.[1]
  } catch {
    return undefined
  }
})()
if (conf !== undefined) process.env.CONTAINERS_CONF ??= conf

const stage = await openStage('podman')
try {
  const ours = { apply: [] as number[], delete: [] as number[], ten: [] as number[] }
  const bare = { apply: [] as number[], delete: [] as number[], ten: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    const play = run('podman', ['kube', 'play', '-'], podYaml(`bm-bench-bare-${round + 1}`))
    const down = run('podman', ['kube', 'down', '-'], podYaml(`bm-bench-bare-${round + 1}`))
    const [manifest] = parseManifests(podYaml('bench'))
    const apply = await timed(async () => {
      const [result] = await stage.client.apply([manifest!])
      const error = result!.placements[0]?.error
      if (error !== undefined) throw new Error(`${error.code}: ${error.message}`)
    })
    const remove = await timed(() => stage.client.delete('bench'))
    if (round < 0) continue // the first of each warms up
    ours.apply.push(apply)
    ours.delete.push(remove)
    bare.apply.push(play)
    bare.delete.push(down)
  }
  for (let round = 0; round < Math.max(1, Math.floor(rounds / 5)); round++) {
    const names = Array.from({ length: 10 }, (_, index) => `bench-${index}`)
    const manifests = names.flatMap((name) => parseManifests(podYaml(name)))
    ours.ten.push(await timed(() => stage.client.apply(manifests)))
    await Promise.all(names.map((name) => stage.client.delete(name)))
    bare.ten.push(
      names.reduce((sum, name) => sum + run('podman', ['kube', 'play', '-'], podYaml(`bm-${name}`)), 0)
    )
    for (const name of names) run('podman', ['pod', 'rm', '-f', '-t', '0', `bm-${name}`])
  }
  report('apply one pod, to running', ours.apply, bare.apply, 'bound 1.15')
  report('delete one pod', ours.delete, bare.delete, 'bound 0.20')
  report('apply ten pods at once', ours.ten, bare.ten, 'bound 0.85')
} finally {
  await stage.close()
}

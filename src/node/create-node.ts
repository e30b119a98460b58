import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { createLibp2p } from 'libp2p'
import { advertiseLocalNode, runtimeDir } from '../client/index.ts'
import { raceSignal } from '../common/index.ts'
import { type Config, type ConfigInput, withDefaults } from '../config/index.ts'
import { toLibp2pPrivateKeyBytes } from '../identity/index.ts'
import { members } from '../members/index.ts'
import { providers } from '../providers/index.ts'
import { reach, type Whereabouts } from '../reach/index.ts'
import { createEngine, EngineRegistry } from '../runtime/index.ts'
import { jsonCodec, openStore } from '../store/index.ts'
import { createLogger, type NodeLogger, toComponentLogger } from '../telemetry/index.ts'
import { Doors, doorsService, LocalSocket, ReplayGuard } from '../wire/index.ts'
import { type WorkloadsInit, workloads } from '../workloads/index.ts'
import { openDataDir } from './data-dir.ts'
import { faultPointFromEnv } from './fault-point.ts'
import { hostOptions, hostServices } from './libp2p.ts'
import { rememberedListen, rememberPorts } from './listen-ports.ts'
import { forgetOwnProviderRecords } from './own-provider-records.ts'
import type { BeemeshNode } from './types.ts'
import { VERSION } from './version.ts'

/** An engine that does not answer in time is not named; it is asked again when a manifest comes. Chosen. */
const ENGINE_ANSWER_MS = 4_000
const NO_ANSWER = { available: false }

/** The one image the mock engine does not have, so that a failing deployment can be tried without an engine. */
const MOCK_MISSING_IMAGE = 'localhost/not-there:1'

export interface CreateNodeOptions {
  /** @default JSON lines on stderr at the configured level */
  readonly logger?: NodeLogger
  /** Folder of sockets and of the word left for commands on this machine. @default {@link runtimeDir} */
  readonly runtimeDir?: string
  /** Other engines than those of the configuration; the caller closes them. */
  readonly engines?: EngineRegistry
  /** What of the machine workloads may have. @default all of it */
  readonly capacity?: WorkloadsInit['capacity']
  /** How often engines are asked what still runs, ms. @default WATCH_INTERVAL_MS of workloads */
  readonly watchIntervalMs?: number
  /** The clock of workloads: their back-offs, deadlines and schedules. @default Date.now */
  readonly now?: () => number
}

/** The node on one page: opens what lasts, puts libp2p and our services together in floor order, and starts them. */
export async function createNode(input: ConfigInput, options: CreateNodeOptions = {}): Promise<BeemeshNode> {
  const config = withDefaults(input)
  const log = options.logger ?? createLogger(config.logLevel)
  const runtime = options.runtimeDir ?? runtimeDir()
  const data = await openDataDir(config)
  const { key, network, owners, sealingKey } = data
  const store = await openStore(join(data.path, 'db'))
  const runDir = join(runtime, key.peerId.slice(-12))
  await mkdir(runDir, { recursive: true, mode: 0o700 })
  const engines = options.engines ?? createEngines(config, runDir, log)

  const replay = new ReplayGuard(store.collection('replay', jsonCodec<number>()))
  await replay.open()
  const doors = new Doors({
    key,
    networkId: network.id,
    trust: () => ({ owners }),
    replay,
    onRefused: (refusal) => log.warn(refusal, 'request refused')
  })
  const bootId = new Uint8Array(randomBytes(16))
  const available = config.role === 'bootstrap' ? [] : await availableEngines(engines, config.engine)
  let isIdle = () => false // until the workloads of the last run are known
  const providerTtlMs = config.providerTtlSeconds * 1000
  let isMember = (_peerId: string): boolean => false // until there is a members service to ask
  const libp2p = await createLibp2p({
    ...hostOptions({
      privateKey: privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(key)),
      network,
      datastore: store.libp2p,
      listen: await rememberedListen(data.path, config.listen),
      providerTtlMs,
      config,
      onFound: (node) => libp2p.services.reach.found(node),
      logger: toComponentLogger(log, config.logLevel)
    }),
    start: false,
    services: {
      ...hostServices({ network, providerTtlMs, config }),
      members: members({
        network,
        key,
        doors,
        gossip: true,
        bootstrap: config.bootstrap,
        describe: () => ({
          name: config.name,
          labels: config.labels,
          engines: available,
          version: VERSION,
          bootId,
          scheduling: config.scheduling,
          sealingKey: sealingKey.publicKey,
          sealingEpoch: sealingKey.epoch,
          memberships: data.memberships,
          idle: isIdle()
        })
      }),
      reach: reach({
        reserve: config.relay !== 'off',
        known: config.bootstrap,
        find: (peerId): Whereabouts | undefined => libp2p.services.members.get(peerId)
      }),
      providers: providers({
        network,
        key,
        doors,
        nodeName: config.name,
        bootId,
        labels: config.labels,
        capabilities: config.exec ? ['exec'] : [],
        isMember: (peerId) => isMember(peerId),
        gossip: true,
        announce: config.announce
      }),
      workloads: workloads({
        network,
        key,
        nodeName: config.name,
        store,
        sealingKey,
        engines,
        preferredEngine: config.engine === 'auto' ? undefined : config.engine,
        publishAddress: config.publishAddress,
        storagePath: data.path,
        watchIntervalMs: options.watchIntervalMs,
        now: options.now,
        capacity: options.capacity,
        onFaultPoint: faultPointFromEnv(),
        doors,
        scheduling: config.scheduling,
        secretsInEnvironment: config.secretsInEnvironment,
        exec: config.exec,
        portRange: { first: config.portFirst, last: config.portLast },
        maxConcurrentDeployments: config.maxConcurrentDeployments
      }),
      doors: doorsService({ doors, key, network }) // last, because it opens what the others registered
    }
  })
  // because what a node said that cannot be reached, or has stopped, does not count until it says so again
  for (const change of ['member:dead', 'member:left'] as const)
    libp2p.services.members.addEventListener(change, ({ detail }) =>
      libp2p.services.providers.lose(detail.peerId)
    )
  isMember = (peerId) => libp2p.services.members.get(peerId) !== undefined
  libp2p.services.workloads.addEventListener('workload', () => {
    // at once, because others probe an idle node less often; that it is idle again can wait for the next statement
    if (libp2p.services.members.self().idle && !isIdle()) libp2p.services.members.refresh()
  })
  const socket = new LocalSocket(join(runDir, 'node.sock'), (channel, name) =>
    libp2p.services.doors.serveLocal(channel, name)
  )
  let forgetLocalNode = async () => {}
  let stopping: Promise<void> | undefined

  const node: BeemeshNode = {
    peerId: key.peerId,
    name: config.name,
    role: config.role,
    network,
    owners: [...owners],
    engine: engineName(config, available),
    created: data.created,
    libp2p,
    services: libp2p.services,
    socketPath: socket.path,
    addresses: () => libp2p.getMultiaddrs().map((address) => address.toString()),
    async start() {
      await forgetOwnProviderRecords(store.libp2p, key.peerId)
      await libp2p.start()
      isIdle = () => libp2p.services.workloads.list().length === 0
      await rememberPorts(data.path, config.listen, node.addresses())
      await socket.start()
      const { name, id, open } = network
      forgetLocalNode = await advertiseLocalNode(
        {
          peerId: key.peerId,
          name: config.name,
          pid: process.pid,
          socket: socket.path,
          network: { name, id: Buffer.from(id).toString('hex'), open },
          addresses: node.addresses(),
          owners: [...owners]
        },
        runtime
      )
    },
    stop() {
      stopping ??= (async () => {
        await forgetLocalNode()
        await socket.stop()
        await libp2p.stop()
        await engines.close()
        await store.close()
      })()
      return stopping
    }
  }
  return node
}

function createEngines(config: Config, runDir: string, log: NodeLogger): EngineRegistry {
  const components = toComponentLogger(log, config.logLevel)
  const engines = new EngineRegistry()
  engines.register(createEngine('podman', { runDir, logger: components.forComponent('beemesh:podman') }))
  engines.register(createEngine('docker', { runDir, logger: components.forComponent('beemesh:docker') }))
  engines.register(createEngine('mock', { missingImages: [MOCK_MISSING_IMAGE] }))
  if (config.engine === 'mock') log.warn({}, 'engine mock: workloads are only pretended')
  return engines
}

/** What workloads run on unless their manifest says otherwise. */
function engineName({ engine, role }: Config, available: readonly string[]): string {
  if (role === 'bootstrap') return 'none'
  return engine === 'auto' ? (available[0] ?? 'none') : engine
}

/** Names of engines that work here. The mock always works, so it is only named where it was asked for. */
async function availableEngines(engines: EngineRegistry, chosen: Config['engine']): Promise<string[]> {
  const answers = await Promise.all(
    (chosen === 'mock' ? ['mock'] : engines.names().filter((name) => name !== 'mock')).map(async (name) => ({
      name,
      ...(await raceSignal(engines.availability(name), AbortSignal.timeout(ENGINE_ANSWER_MS)).catch(
        () => NO_ANSWER
      ))
    }))
  )
  return answers.filter(({ available }) => available).map(({ name }) => name)
}

import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { createLibp2p } from 'libp2p'
import { AuditLog, AuditRecorder, audit } from '../audit/index.ts'
import { advertiseLocalNode, runtimeDir } from '../client/index.ts'
import { type ConfigInput, statedLabels, withDefaults } from '../config/index.ts'
import { guests } from '../guests/index.ts'
import { toLibp2pPrivateKeyBytes } from '../identity/index.ts'
import { type MembersService, type MemberView, members } from '../members/index.ts'
import { providers } from '../providers/index.ts'
import { reach, type Whereabouts } from '../reach/index.ts'
import { type EngineRegistry, Guard } from '../runtime/index.ts'
import { Cordon, type SchedulerService, scheduler } from '../scheduler/index.ts'
import { jsonCodec, openStore } from '../store/index.ts'
import { createLogger, type NodeLogger, openMetrics, toComponentLogger } from '../telemetry/index.ts'
import type { Revocation, TrustState } from '../trust/index.ts'
import { Conduct, Doors, doorsService, LocalSocket, ReplayGuard } from '../wire/index.ts'
import { type WorkloadsInit, workloads } from '../workloads/index.ts'
import { connectServices, isGone, sendAway } from './connect-services.ts'
import { openDataDir } from './data/data-dir.ts'
import { rememberedListen, rememberPorts } from './data/listen-ports.ts'
import { forgetOwnProviderRecords } from './data/own-provider-records.ts'
import { keepSealingKeys } from './data/sealing-keys.ts'
import { availableEngines, createEngines, engineName } from './engines.ts'
import { faultPointFromEnv } from './fault-point.ts'
import { registerGauges } from './gauges.ts'
import { hostOptions, hostServices } from './libp2p.ts'
import { policyFor } from './policy.ts'
import type { BeemeshNode } from './types.ts'
import { VERSION } from './version.ts'

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
  const { key, network, owners, sealingKeys } = data
  const bootstrap = [...new Set([...config.bootstrap, ...data.bootstrap])]
  const store = await openStore(join(data.path, 'db'))
  const cordon = new Cordon(store)
  await cordon.open()
  const runDir = join(runtime, key.peerId.slice(-12))
  await mkdir(runDir, { recursive: true, mode: 0o700 })
  const engines = options.engines ?? createEngines(config, runDir, log)

  const replay = new ReplayGuard(store.collection('replay', jsonCodec<number>()))
  await replay.open()
  const auditLog = new AuditLog({
    store,
    key,
    networkId: network.id,
    onError: (error) => log.error({ error: String(error) }, 'the audit log cannot be written')
  })
  await auditLog.open()
  const recorder = new AuditRecorder(auditLog)
  let advertise = async () => {} // until it has started
  let isMember = (_peerId: string): boolean => false // until there is a members service to ask
  const metrics = config.metrics === undefined ? undefined : await openMetrics()
  const conduct = new Conduct({
    nodeBudget: config.budgets.nodes,
    onRefused: (peerId, refusal) => recorder.refusedNode(peerId, refusal)
  })
  const doors = new Doors({
    key,
    networkId: network.id,
    trust: () => libp2p.services.guests.trust(),
    budgets: config.budgets,
    replay,
    onAccepted: (request, payload) => recorder.asked(request, payload),
    onRefused: (refusal, payload) => {
      log.warn(refusal, 'request refused')
      recorder.refused(refusal, payload)
      conduct.refuseRequest(refusal, (peerId) => isMember(peerId))
    }
  })
  const schedulerOf = (): SchedulerService => libp2p.services.scheduler
  const startedAtMs = Date.now()
  const bootId = new Uint8Array(randomBytes(16))
  const available = config.role === 'bootstrap' ? [] : await availableEngines(engines, config.engine)
  let isIdle = () => false // until the workloads of the last run are known
  const providerTtlMs = config.providerTtlSeconds * 1000
  const libp2p = await createLibp2p({
    ...hostOptions({
      privateKey: privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(key)),
      network,
      datastore: store.libp2p,
      gater: conduct.gater,
      metrics: metrics?.libp2p,
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
        conduct,
        revocationsOf: (ids): readonly Revocation[] => libp2p.services.guests.revocationsOf(ids),
        gossip: true,
        bootstrap,
        describe: () => ({
          name: config.name,
          labels: statedLabels(config),
          engines: available,
          version: VERSION,
          bootId,
          startedAtMs,
          scheduling: config.scheduling && !cordon.isSet,
          sealingKey: sealingKeys.current.publicKey,
          sealingEpoch: sealingKeys.current.epoch,
          memberships: data.memberships,
          idle: isIdle()
        })
      }),
      reach: reach({
        reserve: config.relay !== 'off',
        known: bootstrap,
        find: (peerId): Whereabouts | undefined => libp2p.services.members.get(peerId)
      }),
      guests: guests({
        network,
        key,
        owners,
        successors: data.successors,
        changeOwners: async (change) => {
          await data.changeOwners(change)
          await advertise() // because commands of this user take its owners for roots
          libp2p.services.members.refresh() // its memberships may be others
        },
        store,
        doors,
        conduct,
        isNode: (peer) => isMember(peer.toString())
      }),
      providers: providers({
        network,
        key,
        doors,
        conduct,
        nodeName: config.name,
        bootId,
        labels: config.labels,
        capabilities: config.exec ? ['exec'] : [],
        isMember: (peerId) => isMember(peerId),
        gossip: true,
        isGone: (peerId): boolean => isGone(libp2p.services.members, peerId),
        announce: config.announce
      }),
      workloads: workloads({
        network,
        key,
        nodeName: config.name,
        store,
        sealingKey: sealingKeys,
        engines,
        preferredEngine: config.engine === 'auto' ? undefined : config.engine,
        publishAddress: config.publishAddress,
        storagePath: data.path,
        watchIntervalMs: options.watchIntervalMs,
        now: options.now,
        capacity: options.capacity,
        onFaultPoint: faultPointFromEnv(),
        doors,
        trust: (): TrustState => libp2p.services.guests.trust(),
        nodeEvents: (): MembersService => libp2p.services.members,
        keep: (bundle, keeping) => schedulerOf().keep(bundle, keeping),
        mayResume: (stored, resuming) => schedulerOf().mayResume(stored, resuming),
        fencing: () => schedulerOf(),
        guard: new Guard(join(runDir, 'guard')),
        keptFor: () => schedulerOf(),
        keptOf: async (manifestId, author) => schedulerOf().inspectKept(manifestId, author),
        scheduling: config.scheduling,
        isCordoned: () => cordon.isSet,
        policyFor: policyFor(config, data.own),
        ownOwners: data.own,
        exec: config.exec,
        portRange: { first: config.portFirst, last: config.portLast },
        maxConcurrentDeployments: config.maxConcurrentDeployments
      }),
      scheduler: scheduler({
        network,
        key,
        nodeName: config.name,
        store,
        doors,
        conduct,
        trust: (): TrustState => libp2p.services.guests.trust(),
        sealingKey: (epoch) => (epoch === undefined ? sealingKeys.current : sealingKeys.stored.of(epoch)),
        isMember: (peerId) => isMember(peerId),
        onEquivocation: ({ manifestId, version, ownerPeerId: owner }) => {
          log.error({ owner, version }, 'an owner signed two records with one version')
          recorder.did({ type: 'equivocation', manifestId, version })
        },
        cordon,
        hasOthers: (): boolean => bootstrap.length > 0 || libp2p.services.members.list().length > 1
      }),
      audit: audit({
        network,
        key,
        store,
        log: auditLog,
        recorder,
        doors,
        conduct,
        isMember: (peerId) => isMember(peerId),
        neighbours: (): MemberView[] => libp2p.services.members.list()
      }),
      doors: doorsService({ doors, key, network }) // last, because it opens what the others registered
    }
  })
  if (libp2p.metrics !== undefined) registerGauges(libp2p.metrics, libp2p.services)
  conduct.attach({ disconnect: (peer) => sendAway(libp2p, peer), metrics: libp2p.metrics })
  isMember = connectServices(libp2p.services, { recorder, log, isIdle: () => isIdle() })
  const sealing = keepSealingKeys(sealingKeys, {
    config,
    now: options.now,
    log,
    recorder,
    services: libp2p.services,
    resealers: [
      (from, to) => libp2p.services.workloads.reseal(from, to),
      (from, to) => schedulerOf().reseal(from, to)
    ]
  })
  const socket = new LocalSocket(join(runDir, 'node.sock'), (channel, name) =>
    libp2p.services.doors.serveLocal(channel, name)
  )
  let forgetLocalNode = async () => {}
  let metricsAddress: string | undefined
  let stopping: Promise<void> | undefined

  const describeLocal = () => ({
    peerId: key.peerId,
    name: config.name,
    pid: process.pid,
    socket: socket.path,
    network: { name: network.name, id: Buffer.from(network.id).toString('hex'), open: network.open },
    addresses: node.addresses(),
    owners: [...owners]
  })
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
    sealing,
    socketPath: socket.path,
    addresses: () => libp2p.getMultiaddrs().map((address) => address.toString()),
    metricsAddress: () => metricsAddress,
    async start() {
      await forgetOwnProviderRecords(store.libp2p, key.peerId)
      if (config.metrics !== undefined) metricsAddress = await metrics?.listen(config.metrics)
      await libp2p.start()
      isIdle = () => libp2p.services.workloads.list().length === 0
      sealing.start() // now that it is known what is sealed to older keys
      await rememberPorts(data.path, config.listen, node.addresses())
      await socket.start()
      advertise = async () => {
        forgetLocalNode = await advertiseLocalNode(describeLocal(), runtime)
      }
      await advertise()
    },
    stop() {
      stopping ??= (async () => {
        advertise = async () => {}
        await forgetLocalNode()
        await socket.stop()
        const sealed = sealing.stop() // it may wait for a deployment, which ends with the services
        await libp2p.stop()
        await sealed
        await metrics?.close()
        await engines.close()
        await recorder.close() // last before the store, because everything else may still have something to tell
        await store.close()
      })()
      return stopping
    }
  }
  return node
}

import { sealManifest } from '../../src/client/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import type { ProvidersService } from '../../src/providers/index.ts'
import { EngineRegistry, MockEngine, RuntimeError } from '../../src/runtime/index.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import type { CheckedRecord } from '../../src/scheduler/types.ts'
import { generateSealingKey } from '../../src/sealing/index.ts'
import { memoryStore, type Store } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import type { Doors } from '../../src/wire/index.ts'
import type { Bundle, WorkloadEvent } from '../../src/workloads/index.ts'
import type { WorkloadsInit } from '../../src/workloads/types.ts'
import { Workloads } from '../../src/workloads/workloads.ts'
import { NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { quietLogger } from '../fixtures/quiet-logger.ts'
import { toYaml } from '../fixtures/workload-files.ts'

/** An engine that can be kept from finishing what it starts. */
class SlowEngine extends MockEngine {
  /** Called before each start, which waits for it. */
  onDeploy: () => Promise<unknown> = async () => {}

  override async deploy(...args: Parameters<MockEngine['deploy']>): ReturnType<MockEngine['deploy']> {
    const ended = Promise.withResolvers<never>()
    args[1]?.signal?.addEventListener('abort', () => ended.reject(new RuntimeError('ENGINE_TIMEOUT', 'over')))
    await Promise.race([this.onDeploy(), ended.promise])
    return super.deploy(...args)
  }
}

type Hooks = Pick<WorkloadsInit, 'mayResume' | 'onFaultPoint'>

/** A machine, its disk and its engine, and one process of the workloads service after the other; a mock of all that is around it. */
export class LoneMachine {
  readonly engine = new SlowEngine()
  workloads!: Workloads
  /** Of the next write that a full disk refuses. */
  #refused = Promise.withResolvers<void>()
  readonly #store = memoryStore()
  readonly #key = generateSigningKey()
  readonly #sealingKey = generateSealingKey({ epoch: 1 })
  /** Of the process that runs. */
  #power = { isOn: true }
  #isFull = false

  set isFull(isFull: boolean) {
    this.#refused = Promise.withResolvers()
    this.#isFull = isFull
  }

  /** Resolves when the disk has refused a write since it is full. */
  get refused(): Promise<void> {
    return this.#refused.promise
  }

  async start(hooks: Hooks = {}): Promise<void> {
    this.#power = { isOn: true }
    const sealingKey = await this.#sealingKey
    const engines = new EngineRegistry()
    engines.register(this.engine)
    const providers = { announce: () => {}, withdraw: () => {} } as unknown as ProvidersService
    this.workloads = new Workloads(
      { logger: { forComponent: () => quietLogger }, providers },
      {
        ...hooks,
        network: NETWORK,
        key: this.#key,
        nodeName: 'lone',
        store: this.#diskOf(this.#power),
        sealingKey: { of: () => sealingKey, stored: { of: () => sealingKey } },
        engines,
        preferredEngine: 'mock',
        publishAddress: '127.0.0.1',
        doors: { open: () => {} } as unknown as Doors,
        storagePath: '/',
        watchIntervalMs: 5
      }
    )
    await this.workloads.start()
  }

  /** What runs and what is being done ends at once; the disk stays as it is. */
  async cutPower(): Promise<void> {
    this.#power.isOn = false
    this.engine.clearWorkloads()
    this.engine.onDeploy = async () => {}
    await this.workloads.stop()
    this.engine.clearWorkloads()
  }

  /** A version of a manifest for this machine, to be assigned. */
  async seal(document: object, version: number): Promise<{ record: CheckedRecord; assign: Assign }> {
    const { publicKey } = this.#key
    const { publicKey: sealingKey, epoch: sealingEpoch } = await this.#sealingKey
    const [manifest] = parseManifests(toYaml(document))
    const sealed = await sealManifest(manifest!, {
      key: OWNER,
      networkId: NETWORK.id,
      version: NOW_MS + version,
      nodes: [{ publicKey, sealingKey, sealingEpoch }],
      nowMs: NOW_MS
    })
    const trust = ownersOnly(new Set([OWNER.peerId]))
    const record = checkRecord(sealed.record, { networkId: NETWORK.id, trust })
    const bundle = { ...sealed, sealedShares: [] } as unknown as Bundle
    const [sealedKey] = bundle.sealedKeys
    const { publicKey: owner, peerId: ownerPeerId } = OWNER
    const about = { owner, ownerPeerId, record, bundle, sealedKey: sealedKey!, isKept: true }
    const assign: Assign = (ordinals) => this.workloads.assign({ ...about, ordinals, report: () => {} })
    return { record, assign }
  }

  /** Resolves when all that was begun for a manifest is done. */
  settled({ manifestId }: CheckedRecord): Promise<void> {
    return this.workloads.drop(manifestId, []) // nothing, when its turn comes
  }

  /** Versions and ordinals of what the engine runs. */
  async running(): Promise<string[]> {
    const all = await this.engine.list({ labels: {} })
    return all
      .map(({ labels }) => `${Number(labels['beemesh.io/version']) - NOW_MS}/${labels['beemesh.io/ordinal']}`)
      .sort()
  }

  event(wanted: (event: WorkloadEvent) => boolean): Promise<WorkloadEvent> {
    return new Promise((resolve) => {
      this.workloads.addEventListener('workload', ({ detail }) => {
        if (wanted(detail)) resolve(detail)
      })
    })
  }

  #diskOf(power: { readonly isOn: boolean }): Store {
    const orFull = async (write: () => Promise<void>) => {
      if (power.isOn && !this.#isFull) return write()
      this.#refused.resolve()
      throw new Error('no space left on device')
    }
    return {
      ...this.#store,
      collection: (name, codec) => {
        const own = this.#store.collection(name, codec)
        return { ...own, put: (key, value) => orFull(() => own.put(key, value)) }
      }
    }
  }
}

type Assign = (ordinals: readonly number[]) => ReturnType<Workloads['assign']>

import {
  Client,
  findLocalNodes,
  localConnection,
  type ManifestResult,
  Session
} from '../../../../src/client/index.ts'
import { toHex } from '../../../../src/common/index.ts'
import { decode, openObject } from '../../../../src/envelope/index.ts'
import { APPLY_REQUEST, DELETE_REQUEST, RECORD } from '../../../../src/generated/fbs/index.ts'
import type { SigningKey } from '../../../../src/identity/index.ts'
import { copyBytes, formatManifestId, parseManifests } from '../../../../src/manifest/index.ts'
import { toYaml } from '../../../fixtures/workload-files.ts'

export interface SignedVersion {
  readonly replicas: number
  readonly tombstone: boolean
  /** What one copy of it is: those of an older version that says the same go on. */
  readonly copy: string
}

/** What the owner signed and was told, of one manifest. */
export interface SignedManifest {
  readonly name: string
  readonly isFenced: boolean
  readonly versions: Map<number, SignedVersion>
  /** The newest that a node has taken, as it said. */
  acknowledged: number
  /** An apply or a delete of it is under way. */
  isBusy: boolean
}

export interface OwnerOptions {
  /** Names of the nodes that take copies. @default the mesh is asked */
  readonly to?: readonly string[]
  readonly signal?: AbortSignal
  /** A node said that it has taken a copy. */
  readonly onTaken?: () => void
}

type Ask = Session['ask']

/** Who applies or deletes what. */
interface Named {
  readonly name: string
  readonly isFenced: boolean
  readonly copy: string
}

/** From the first of these on a node has said that it has it. */
const TAKEN: ReadonlySet<string> = new Set(['accepted', 'pulling', 'starting', 'running', 'ready'])
/** An apply asks, waits for bids, is kept, deploys: 1.5 s when all is well. Chosen: many times that. */
const ANSWER_MS = 60_000
const NOBODY: Named = { name: '', isFenced: false, copy: '' }

/** Notes every record before it leaves: whatever runs must be one of them. */
class NotingSession extends Session {
  readonly onRecord: (record: Uint8Array) => void

  constructor(
    key: SigningKey,
    connection: ConstructorParameters<typeof Session>[1],
    onRecord: (record: Uint8Array) => void
  ) {
    super(key, connection)
    this.onRecord = onRecord
  }

  override ask(...[target, protocol, encode, options]: Parameters<Ask>): ReturnType<Ask> {
    const noting = (replyKey: Uint8Array) => {
      const bytes = encode(replyKey)
      if (protocol === 'apply') this.onRecord(decode(APPLY_REQUEST, bytes).record)
      if (protocol === 'delete') this.onRecord(decode(DELETE_REQUEST, bytes).record)
      return bytes
    }
    return super.ask(target, protocol, noting, options)
  }
}

/** The one owner of the thirty, on whatever node it speaks to, and what it knows to be true. */
export class Owner {
  readonly key: SigningKey
  readonly manifests = new Map<string, SignedManifest>()
  readonly #runtimeDir: string

  constructor(key: SigningKey, runtimeDir: string) {
    this.key = key
    this.#runtimeDir = runtimeDir
  }

  /** @param as somebody else, of whom nothing is noted @default the owner, who applies or deletes what is so called */
  async client(entryPeerId: string, as: SigningKey | Named = NOBODY): Promise<Client> {
    const local = (await findLocalNodes(this.#runtimeDir)).find(({ peerId }) => peerId === entryPeerId)
    if (local === undefined) throw new Error(`the entry node ${entryPeerId} does not run`)
    const connection = localConnection(local)
    const session =
      'sign' in as
        ? new Session(as, connection)
        : new NotingSession(this.key, connection, (record) => this.#note(record, connection.networkId, as))
    return new Client({ session, roots: [this.key.peerId] })
  }

  /** @returns what came of it; failures of copies are in it */
  async apply(entryPeerId: string, document: object, options: OwnerOptions = {}): Promise<ManifestResult> {
    const manifests = parseManifests(toYaml(document))
    const { name, recovery } = manifests[0]!
    const copy = toHex(copyBytes(manifests[0]!))
    const isFenced = recovery.onPartition === 'fence'
    const client = await this.client(entryPeerId, { name, isFenced, copy })
    try {
      const [result] = await client.apply(manifests, {
        to: options.to,
        signal: options.signal ?? AbortSignal.timeout(ANSWER_MS),
        onProgress: ({ manifestId, state }) => {
          if (!TAKEN.has(state)) return
          const signed = this.manifests.get(manifestId)
          if (signed !== undefined) signed.acknowledged = Math.max(...signed.versions.keys())
          options.onTaken?.()
        }
      })
      return result!
    } finally {
      this.#free(name)
    }
  }

  async delete(entryPeerId: string, name: string): Promise<void> {
    const client = await this.client(entryPeerId, { ...NOBODY, name })
    try {
      const result = await client.delete(name, { signal: AbortSignal.timeout(ANSWER_MS) })
      this.manifests.get(result.manifestId)!.acknowledged = Number(result.version)
    } finally {
      this.#free(name)
    }
  }

  #free(name: string): void {
    for (const one of this.manifests.values()) if (one.name === name) one.isBusy = false
  }

  #note(bytes: Uint8Array, networkId: Uint8Array, { name, isFenced, copy }: Named): void {
    const { body } = openObject(bytes, { kind: 'record', networkId })
    const { manifestId, version, replicas, tombstone } = decode(RECORD, body)
    const id = formatManifestId(manifestId)
    const fresh = { name, isFenced, versions: new Map(), acknowledged: 0, isBusy: true }
    const signed: SignedManifest = this.manifests.get(id) ?? fresh
    signed.isBusy = true
    signed.versions.set(version, { replicas, tombstone, copy })
    this.manifests.set(id, signed)
  }
}

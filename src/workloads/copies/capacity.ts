import { statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import type { Manifest } from '../../manifest/index.ts'
import { WorkloadsError } from '../errors.ts'
import type { Release, StoredManifest } from '../types.ts'

/** Share of a machine that workloads may be promised. Source: issue on engines: 90 % allocatable. */
const ALLOCATABLE_SHARE = 0.9
/** Kept for the system whatever the share. Source: the same. */
const KEPT_FREE_MEMORY_BYTES = 512 * 1024 * 1024
const KEPT_FREE_STORAGE_BYTES = 1024 * 1024 * 1024
/** Copies on one node. Source: facts on limits, as Kubernetes' default. */
const MAX_PODS = 110

export interface Resources {
  readonly cpuMillis: number
  readonly memoryBytes: number
  /** Disk. Planned with, not enforced: no engine here can bound a volume. */
  readonly storageBytes: number
  readonly pods: number
}

export interface NodeResources {
  /** What the machine has. */
  readonly total: Resources
  /** What copies may be promised altogether. */
  readonly allocatable: Resources
  /** What is promised to copies that run or are being started. */
  readonly reserved: Resources
  readonly free: Resources
}

/** Books the machine's room: a copy is promised its room before it is started, and gives it back when it is gone. */
export class Capacity {
  readonly #machine: Omit<Resources, 'storageBytes'>
  readonly #storagePath: string
  readonly #manifests: () => readonly StoredManifest[]
  #storage = { totalBytes: 0, freeBytes: Number.POSITIVE_INFINITY }

  constructor(options: {
    storagePath: string
    manifests: () => readonly StoredManifest[]
    /** For tests and for people who lend only a part of a machine. */
    machine?: Partial<Resources>
  }) {
    this.#storagePath = options.storagePath
    this.#manifests = options.manifests
    this.#machine = {
      cpuMillis: options.machine?.cpuMillis ?? availableParallelism() * 1000,
      memoryBytes: options.machine?.memoryBytes ?? totalmem(),
      pods: options.machine?.pods ?? MAX_PODS
    }
  }

  /** Reads how full the disk is. */
  async refresh(): Promise<void> {
    const { bsize, blocks, bavail } = await statfs(this.#storagePath)
    this.#storage = { totalBytes: bsize * blocks, freeBytes: bsize * bavail }
  }

  view(): NodeResources {
    const { cpuMillis, memoryBytes, pods } = this.#machine
    const { totalBytes, freeBytes } = this.#storage
    const total = { cpuMillis, memoryBytes, pods, storageBytes: totalBytes }
    const allocatable = {
      cpuMillis: Math.floor(cpuMillis * ALLOCATABLE_SHARE),
      memoryBytes: Math.floor(
        Math.min(memoryBytes * ALLOCATABLE_SHARE, memoryBytes - KEPT_FREE_MEMORY_BYTES)
      ),
      pods,
      storageBytes: Math.max(0, totalBytes - KEPT_FREE_STORAGE_BYTES)
    }
    const reserved = this.#manifests().reduce(addManifest, NOTHING)
    const free = {
      cpuMillis: allocatable.cpuMillis - reserved.cpuMillis,
      memoryBytes: allocatable.memoryBytes - reserved.memoryBytes,
      pods: allocatable.pods - reserved.pods,
      // what is promised may be on the disk already, so the smaller of both counts, not their difference
      storageBytes: Math.max(
        0,
        Math.min(allocatable.storageBytes - reserved.storageBytes, freeBytes - KEPT_FREE_STORAGE_BYTES)
      )
    }
    return { total, allocatable, reserved, free }
  }

  /**
   * @param copies how many are to be started beside what runs
   * @throws WorkloadsError INSUFFICIENT_RESOURCES with the numbers
   */
  assertFits(manifest: Manifest, copies: number): void {
    const { free, allocatable } = this.view()
    const wanted = {
      cpuMillis: manifest.resources.cpuMillis * copies,
      memoryBytes: manifest.resources.memoryBytes * copies,
      storageBytes: manifest.resources.storageBytes * copies,
      pods: copies
    }
    const short = (['cpuMillis', 'memoryBytes', 'storageBytes', 'pods'] as const).filter(
      (key) => wanted[key] > Math.max(0, free[key])
    )
    if (short.length > 0)
      throw new WorkloadsError(
        'INSUFFICIENT_RESOURCES',
        `this node has no room: ${short.map((key) => `${key} wanted ${wanted[key]}, free ${Math.max(0, free[key])} of ${allocatable[key]}`).join('; ')}`,
        {
          details: { wanted, free, allocatable },
          retryable: true,
          hint: 'Name another node with --to, or ask for less.'
        }
      )
    if (free.storageBytes === 0)
      throw new WorkloadsError('INSUFFICIENT_RESOURCES', 'this node keeps its last GiB of disk for itself', {
        details: { free },
        retryable: true
      })
  }
}

const NOTHING: Resources = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0, pods: 0 }

function addManifest(sum: Resources, manifest: StoredManifest): Resources {
  return [manifest, ...(manifest.next === undefined ? [] : [manifest.next])].reduce(addRelease, sum)
}

function addRelease(sum: Resources, { cpuMillis, memoryBytes, storageBytes, workloads }: Release): Resources {
  const copies = workloads.length
  return {
    cpuMillis: sum.cpuMillis + cpuMillis * copies,
    memoryBytes: sum.memoryBytes + memoryBytes * copies,
    storageBytes: sum.storageBytes + storageBytes * copies,
    pods: sum.pods + copies
  }
}

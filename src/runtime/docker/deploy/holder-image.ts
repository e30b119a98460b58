import { Readable } from 'node:stream'
import type { Abortable } from '../../../common/index.ts'
import { HOLDER_IMAGE, HOLDER_VOLUMES } from '../constants.ts'
import type { DockerClient } from '../docker-client.ts'
import { dockerError } from '../docker-error.ts'
import { toTar } from './tar.ts'

/** Machine numbers of ELF (elf.h), and instructions that wait for ever. */
const PROGRAMS: Readonly<Record<string, { readonly machine: number; readonly code: string }>> = {
  // mov eax, 34 (pause); syscall; jmp back
  x64: { machine: 62, code: 'b8220000000f05ebf7' },
  // x0..x4 = 0; x8 = 73 (ppoll); svc 0; b back
  arm64: { machine: 183, code: '000080d2010080d2020080d2030080d2040080d2280980d2010000d4f9ffff17' }
}
const LOAD_ADDRESS = 0x400000n
const HEADERS_BYTES = 64 + 56

/**
 * Sees to it that the holder's image is here: one static program of some 130 bytes, made on the spot, because there may be no registry,
 * and no image of the pod can be relied on to have a program that waits.
 */
export async function ensureHolderImage(client: DockerClient, options: Abortable): Promise<void> {
  const known = await client.call((docker) => docker.getImage(HOLDER_IMAGE).inspect(), {
    ...options,
    what: 'look for an image'
  })
  if (known !== undefined) return
  const program = PROGRAMS[process.arch]
  if (program === undefined)
    throw dockerError(
      'ENGINE_UNAVAILABLE',
      `there is no holder program for processors of type ${process.arch}`
    )
  const tar = toTar([
    { path: 'hold', mode: 0o755, content: toElf(program.machine, Buffer.from(program.code, 'hex')) },
    { path: HOLDER_VOLUMES.slice(1), mode: 0o755 }
  ])
  const [repo, tag] = HOLDER_IMAGE.split(':')
  await client.change(
    async (docker) => {
      const said = await docker.importImage(
        Readable.from([tar]) as unknown as NodeJS.ReadableStream & string,
        {
          repo,
          tag,
          changes: 'ENTRYPOINT ["/hold"]'
        }
      )
      for await (const _ of said as NodeJS.ReadableStream);
    },
    { what: 'make the image of the holder' }
  )
}

/** One loadable segment with everything in it (elf(5)). */
function toElf(machine: number, code: Buffer): Buffer {
  const size = BigInt(HEADERS_BYTES + code.length)
  const header = Buffer.alloc(HEADERS_BYTES)
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1') // 64 bits, little-endian
  header.writeUInt16LE(2, 16) // ET_EXEC
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(LOAD_ADDRESS + BigInt(HEADERS_BYTES), 24) // entry
  header.writeBigUInt64LE(64n, 32) // program header
  header.writeUInt16LE(64, 52)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(1, 56)
  header.writeUInt32LE(1, 64) // PT_LOAD
  header.writeUInt32LE(5, 68) // read, execute
  header.writeBigUInt64LE(LOAD_ADDRESS, 80)
  header.writeBigUInt64LE(LOAD_ADDRESS, 88)
  header.writeBigUInt64LE(size, 96)
  header.writeBigUInt64LE(size, 104)
  header.writeBigUInt64LE(0x1000n, 112)
  return Buffer.concat([header, code])
}

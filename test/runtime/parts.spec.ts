import { expect } from 'chai'
import { execa } from 'execa'
import { toTar } from '../../src/runtime/docker/deploy/tar.ts'
import { parseQuantity, readFrames } from '../../src/runtime/parts/index.ts'
import { parseKill } from '../../src/runtime/parts/kernel-log.ts'

describe('parts of engines', () => {
  it('read quantities as Kubernetes does', () => {
    const read = ['500m', '64Mi', 1.5, '1k', 4096, '', 'x', '1X', undefined].map(parseQuantity)
    expect(read).to.deep.equal([
      0.5,
      64 * 2 ** 20,
      1.5,
      1000,
      4096,
      undefined,
      undefined,
      undefined,
      undefined
    ])
  })

  it('take frames apart wherever the chunks were cut', async () => {
    const frame = (stream: number, text: string) => {
      const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length])
      return Buffer.concat([header, Buffer.from(text)])
    }
    const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'error'), frame(1, ''), frame(1, 'end')])
    for (let size = 1; size <= bytes.length; size++) {
      async function* chunks() {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
      }
      const seen: string[] = []
      for await (const { stream, bytes: part } of readFrames(chunks(), { whole: true }))
        seen.push(`${stream} ${part}`)
      expect(seen, `chunks of ${size}`).to.deep.equal(['stdout out', 'stderr error', 'stdout end'])
      const text = { stdout: '', stderr: '' }
      for await (const { stream, bytes: part } of readFrames(chunks())) text[stream] += part
      expect(text, `chunks of ${size}`).to.deep.equal({ stdout: 'outend', stderr: 'error' })
    }
  })

  it('find whom the kernel killed for memory', () => {
    // written by Linux 6.18, observed 2026-11
    const record =
      '6,1234,3771174446,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=libpod-85,mems_allowed=0,oom_memcg=/libpod_parent/8a/libpod-85,task_memcg=/libpod_parent/8a/libpod-85,task=tail,pid=22795,uid=0\n'
    expect(parseKill(record, 1_000)).to.deep.equal({
      cgroup: '/libpod_parent/8a/libpod-85',
      atMs: 3_772_174.446
    })
    expect(parseKill('6,1,2,-;usb 1-1: new device\n', 0)).to.equal(undefined)
    expect(parseKill('', 0)).to.equal(undefined)
  })

  it('write archives that tar reads', async () => {
    const archive = toTar([
      { path: 'hold', mode: 0o755, content: Buffer.from('program') },
      { path: 'volumes', mode: 0o2777, uid: 1000, gid: 1001 }
    ])
    const { stdout } = await execa('tar', ['--numeric-owner', '-tvf', '-'], { input: archive })
    expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 3))).to.deep.equal([
      ['-rwxr-xr-x', '0/0', '7'],
      ['drwxrwsrwx', '1000/1001', '0']
    ])
  })
})

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'

const ROOT = resolve(import.meta.dirname, '../..')
const EXAMPLES = join(ROOT, 'examples')
/** Examples that stay until they are interrupted. */
const STAYING = new Set(['bootstrap-node'])

/** What the README says one will see: every quoted text of the list behind "You will see:". */
function promises(example: string): string[] {
  const readme = readFileSync(join(EXAMPLES, example, 'README.md'), 'utf8')
  const list = readme.split('You will see:')[1] ?? ''
  const withPodman = !existsSync(join(ROOT, '.setup/no-podman'))
  const text = withPodman ? list.replace(/\(or [^)]*\)/g, '') : list.replace(/`[^`]*` \(or ([^)]*)\)/g, '$1')
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
}

describe('examples', () => {
  let child: ChildProcess | undefined

  before(() => {
    if (existsSync(join(ROOT, '.setup/no-podman'))) return
    const made = spawnSync('sh', [join(ROOT, 'scripts/make-image.sh'), 'localhost/beemesh-demo:1'], {
      encoding: 'utf8'
    })
    expect(made.status, made.stderr).to.equal(0)
  })

  afterEach(() => {
    child?.kill('SIGKILL')
  })

  for (const example of readdirSync(EXAMPLES))
    it(`${example} shows what its README promises`, async () => {
      // given
      const wanted = promises(example)
      expect(wanted, 'a README that promises something').to.not.have.length(0)

      // when
      child = spawn(process.execPath, ['main.ts'], {
        cwd: join(EXAMPLES, example),
        stdio: ['ignore', 'pipe', 'pipe']
      })
      let output = ''
      let seen = false
      for (const stream of [child.stdout!, child.stderr!])
        stream.on('data', (chunk: Buffer) => {
          output += chunk
          if (seen || !STAYING.has(example) || !wanted.every((text) => output.includes(text))) return
          seen = true
          child?.kill('SIGINT')
        })
      const code = await new Promise((resolve) => child!.once('close', resolve))

      // then
      for (const text of wanted) expect(output).to.include(text)
      expect(code, output).to.equal(0)
    })
})

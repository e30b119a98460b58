/**
 * `npm run stories [-- NAME]`: stories that take too long for `npm test`, one after the other: partitions, fencing, Jobs, load, lost power,
 * on node processes and on real Podman. With a name only those whose file, or folder, contains it: `thirty` is those of one mesh of thirty
 * nodes, which they share; each of them can be told alone, too.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const FOLDER = resolve(import.meta.dirname, '../test/stories')
const [name = ''] = process.argv.slice(2)
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.story.ts') && file.includes(name))
  .sort()
const test = resolve(import.meta.dirname, 'test.ts')
const child = spawn(process.execPath, [test, ...files.map((file) => join('test/stories', file))], {
  stdio: 'inherit',
  cwd: resolve(import.meta.dirname, '..')
})
child.once('close', (code) => {
  process.exitCode = code ?? 1
})

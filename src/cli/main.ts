#!/usr/bin/env node
// Kept so small, and in syntax so old, that any Node can say that it is too old.
const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 22) {
  process.stderr.write(
    `beemesh needs Node.js 22 or newer; this is ${process.version}.\n` +
      'Inside a clone, "npx beemesh" uses the one that "npm run setup" installs.\n'
  )
  process.exit(1)
}
// A node lives long and mostly waits: with a young generation of 4 MB instead of 16 it needs some 25 MB less. Only a new process can
// be told so; it keeps the process ID. Whoever sets the size in NODE_OPTIONS decides.
const SMALL_HEAP = '--max-semi-space-size=4'
const isNode = (process.argv[2] === 'node' && process.argv[3] === 'start') || process.argv[2] === 'join'
const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ')
if (isNode && typeof process.execve === 'function' && !flags.includes('--max-semi-space-size'))
  process.execve(
    process.execPath,
    [process.execPath, SMALL_HEAP, ...process.execArgv, ...process.argv.slice(1)],
    process.env
  )
const { enableCompileCache } = await import('node:module')
enableCompileCache()
// The bundle (scripts/bundle-cli.ts) is the same code without what no command needs, and starts in half the time.
const bundle = new URL('../bundle/run.js', import.meta.url)
const { existsSync } = await import('node:fs')
const { run } = existsSync(bundle)
  ? ((await import(bundle.href)) as typeof import('./run.ts'))
  : await import('./run.ts')
await run(process.argv)

export {}

/**
 * Makes dist/bundle/run.js and dist/bundle/node.js: the command, and the node that it loads when it is to be one, in one file each.
 * Only our own code is bundled; what a command does not use (libp2p, for one that speaks to the node of this machine) falls away
 * with its imports. Two bundles and no common part, because that would load for every command what only the node needs. Packages
 * are loaded as they are installed.
 */
import { copyFile, rm } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '..')
const SRC = resolve(ROOT, 'src')
const DIST = resolve(ROOT, 'dist')
const outdir = resolve(DIST, 'bundle')
const ENTRIES = { run: 'cli/run', node: 'node/index' } as const

/** `import()` of our own files leads to their bundle, or else to dist/, beside the bundles. */
const lazyParts: Plugin = {
  name: 'lazy-parts',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined
      const target = relative(SRC, resolve(resolveDir, path)).replace(/\.ts$/, '')
      const bundle = Object.entries(ENTRIES).find(([, entry]) => entry === target)?.[0]
      return { path: bundle === undefined ? `../${target}.js` : `./${bundle}.js`, external: true }
    })
  }
}

await rm(outdir, { recursive: true, force: true })
await build({
  entryPoints: Object.entries(ENTRIES).map(([out, entry]) => ({ out, in: resolve(SRC, `${entry}.ts`) })),
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
  plugins: [lazyParts]
})
// what the node hands to a shell is no module, so that both leave it behind; it is looked for beside the code that names it
for (const folder of [outdir, resolve(DIST, 'runtime/guard')])
  await copyFile(resolve(SRC, 'runtime/guard/guard.sh'), resolve(folder, 'guard.sh'))

/**
 * Makes dist/bundle/run.js: the command in one file. Only our own code is bundled; what a command does not use (libp2p, for one
 * that speaks to the node of this machine) falls away with its imports. What a command loads when it needs it, the node above
 * all, stays as tsc made it, and packages are loaded as they are installed.
 */
import { copyFile, rm } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '..')
const SRC = resolve(ROOT, 'src')
const outdir = resolve(ROOT, 'dist/bundle')

/** `import()` of our own files leads to dist/, beside the bundle. */
const lazyParts: Plugin = {
  name: 'lazy-parts',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined
      const target = relative(SRC, resolve(resolveDir, path)).replace(/\.ts$/, '.js')
      return { path: `../${target}`, external: true }
    })
  }
}

// what the node hands to a shell is no module, so that tsc leaves it behind
await copyFile(resolve(SRC, 'runtime/guard/guard.sh'), resolve(ROOT, 'dist/runtime/guard/guard.sh'))
await rm(outdir, { recursive: true, force: true })
await build({
  entryPoints: [resolve(SRC, 'cli/run.ts')],
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

/** `npm run bench`: installs the peers, bundles the rows as they would ship, runs them. */
import { build } from 'esbuild'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, run } from './run.mjs'

const bench = join(root, 'test', 'bench')
const peers = join(bench, 'peers')
const out = join(bench, 'dist')

if (!existsSync(join(peers, 'node_modules'))) {
  const code = await run('npm', ['ci', '--prefix', peers, '--ignore-scripts', '--no-audit', '--no-fund'])
  if (code !== 0) process.exit(code)
}

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const rows = readdirSync(join(bench, 'rows')).map((name) => join(bench, 'rows', name))
await build({
  entryPoints: [join(bench, 'main.ts'), ...rows],
  outdir: out,
  outbase: bench,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  conditions: ['sotto-source'],
  logLevel: 'warning',
  outExtension: { '.js': '.mjs' },
})
const polyfill = pathToFileURL(join(root, 'packages', 'core', 'bindings', 'host-node', 'polyfill.mjs')).href
const wanted = process.argv.slice(2)
process.exitCode = await run(process.execPath, ['--import', polyfill, join(out, 'main.mjs'), ...wanted], {
  env: { ...process.env, SOTTO_BENCH_HOME: pathToFileURL(out + '/').href },
})
// A browser, and whole processes started as people start them: from source, not from the bundle.
for (const name of ['chromium', 'nodes', 'live', 'small-groups', 'huge-group']) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const source = join(bench, `${name}.ts`)
  const code = await run(process.execPath, [
    ...['--import', polyfill, '--import', 'tsx', '--conditions=sotto-source', source],
  ])
  if (code !== 0) process.exitCode = code
}

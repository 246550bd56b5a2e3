/** `npm run bench -- chromium`: the rows of sessions in a headless Chromium. */
import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launchBrowser, serveFiles, watchPage } from '../support/browser.ts'
import type { tables } from './page.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7)
const roundMs = Number(process.env['BENCH_ROUND_MS'] ?? 250)

const peer = (path: string): Uint8Array =>
  readFileSync(new URL(`./peers/node_modules/${path}`, import.meta.url))

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('./page.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  conditions: ['sotto-source'],
  // Loaded by the peers only where there is no page.
  external: ['fs', 'path', 'crypto', 'node:fs/promises'],
})
const served = await serveFiles(
  {
    '/index.html':
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
    '/page.js': outputFiles[0]?.text ?? '',
    '/olm.wasm': peer('@matrix-org/olm/olm.wasm'),
    '/vodozemac_bg.wasm': peer('vodozemac-wasm-bindings/vodozemac_bg.wasm'),
  },
  // vodozemac's bindings write into the page when they start, which our own policy forbids.
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:",
)
const browser = await launchBrowser()
try {
  const page = await browser.newPage()
  const complaints = watchPage(page)
  await page.goto(served.url)
  await page.waitForFunction(() => 'tables' in globalThis)
  const done = await page.evaluate(
    (pace) => (globalThis as unknown as { tables: typeof tables }).tables(pace),
    { rounds, roundMs },
  )
  console.log(`Chromium ${browser.version()}, headless; times on the wall.\n`)
  for (const table of done) console.log(table)
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
} finally {
  await browser.close()
  await served.close()
}

/**
 * A Chromium for tests: found, launched quietly, and a folder served to it under the content security
 * policy the product ships. SOTTO_SKIP_BROWSER=1 skips every suite that asks for one, and says so.
 */
import { build } from 'esbuild'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

export type { Browser, BrowserContext, Page }

const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Call first in `before`: without a browser the suite is skipped, loudly. */
export function needBrowser(context: Mocha.Context): void {
  const asked = (process.env['SOTTO_SKIP_BROWSER'] ?? '') !== ''
  if (!asked && existsSync(path)) return
  console.warn(`SKIPPED: ${asked ? 'SOTTO_SKIP_BROWSER is set' : `no Chromium at ${path} (set CHROMIUM)`}`)
  context.skip()
}

/** A browser whose contexts live in memory, with `more` arguments. Close it in `after`. */
export const launchBrowser = (more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath: path, args: [...args, ...more] })

/** A browser with a profile on disk, for whatever is about storage. */
export const launchProfile = (profileFolder: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profileFolder, { executablePath: path, args })

/** The policy of a Sotto tab: nothing from elsewhere, no inline script or style, wasm allowed. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' ws: wss:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types default sotto-script',
].join('; ')

const mimeTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

/** Something served on loopback. */
export interface Served {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** Answers a path (`/` is `/index.html`) with bytes, or undefined for 404. */
type Lookup = (path: string) => Promise<Uint8Array | string | undefined>

async function serve(lookup: Lookup, policy: string): Promise<Served> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const wanted = pathname.endsWith('/') ? `${pathname}index.html` : pathname
    void lookup(decodeURIComponent(wanted)).then((body) => {
      response.writeHead(body === undefined ? 404 : 200, {
        'content-type': mimeTypes[extname(wanted)] ?? 'application/octet-stream',
        'content-security-policy': policy,
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
      })
      response.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Serves `{ '/index.html': '…' }`. */
export const serveFiles = (
  files: Readonly<Record<string, Uint8Array | string>>,
  policy: string = contentPolicy,
): Promise<Served> => serve(async (wanted) => files[wanted], policy)

/** Bundles a TypeScript module from source for a page or a module worker. */
export async function bundle(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry.pathname],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['sotto-source'],
    minify: true,
  })
  return outputFiles[0]?.text ?? ''
}

/** What went wrong in a page while nobody asked: errors, console errors, policy violations. */
export function watchPage(page: Page): readonly string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return complaints
}

import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import { mailboxProtocol, type MailboxServer } from '@sotto/core/mailbox'
import { Hono } from 'hono'

/** What the relay's pages and probes are about. */
export interface WebOptions {
  readonly host: string
  readonly port: number
  readonly peerId: string
  /** Directory of the built web app; undefined when there is none. */
  readonly app: string | undefined
  readonly metrics: boolean
  readonly server: MailboxServer
  /** Host of the web app in invite links, or null. */
  readonly web: () => string | null
  readonly addresses: () => readonly string[]
  readonly draining: () => boolean
}

/** A running HTTP server. */
export interface Web {
  /** `http://HOST:PORT` */
  readonly url: string
  close(): Promise<void>
}

/** Nothing from elsewhere, no inline script or style, no sink without a policy (docs/operating/relay.md). */
const csp = [
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

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': csp,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'permissions-policy': 'geolocation=(), payment=(), usb=()',
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/** A file of the app; undefined for whatever lies outside it, through links too. */
async function fileOf(
  app: string,
  path: string,
): Promise<{ type: string; body: Uint8Array<ArrayBuffer> } | undefined> {
  try {
    const root = await realpath(app)
    const wanted = await realpath(join(root, path))
    if (!wanted.startsWith(root + sep) || !(await stat(wanted)).isFile()) return undefined
    const type = types[extname(wanted)]
    return type === undefined ? undefined : { type, body: new Uint8Array(await readFile(wanted)) }
  } catch {
    return undefined
  }
}

/** The path of a request inside the app: `/` and `/i`, where invites open, are its page. */
function pathOf(url: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(url).pathname)
    if (path.includes('\0') || path.includes('\\')) return undefined
    return path === '/' || path === '/i' ? '/index.html' : path
  } catch {
    return undefined
  }
}

const hashed = /[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/

const plainPage = (peerId: string): string =>
  `This is a Sotto relay. It keeps sealed messages for people who are away and can read none of them.\n${peerId}\n`

function pages(options: WebOptions): Hono {
  const pages = new Hono()
  pages.use('*', async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(headers)) context.header(name, value)
  })
  pages.get('/healthz', (context) => {
    const draining = options.draining()
    return context.json({ status: draining ? 'draining' : 'ok' }, draining ? 503 : 200, {
      'cache-control': 'no-store',
    })
  })
  pages.get('/.well-known/sotto', (context) => {
    const { peerId, addresses, web } = options
    const known = { peerId, addresses: addresses(), protocol: mailboxProtocol, web: web() }
    return context.json(known, 200, { 'cache-control': 'no-store', 'access-control-allow-origin': '*' })
  })
  if (options.metrics) pages.get('/metrics', (context) => context.text(metricsOf(options.server)))
  pages.get('*', async (context) => {
    const path = pathOf(context.req.url)
    const file = options.app === undefined || path === undefined ? undefined : await fileOf(options.app, path)
    if (file === undefined) {
      if (path === '/index.html') return context.text(plainPage(options.peerId))
      return context.text('not found\n', 404)
    }
    const fresh = path !== undefined && hashed.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
    return context.body(file.body, 200, { 'content-type': file.type, 'cache-control': fresh })
  })
  pages.all('*', (context) => context.text('method not allowed\n', 405))
  return pages
}

/** Totals in Prometheus' text format; there is no label an id could hide in but the kind of a reply. */
function metricsOf(server: MailboxServer): string {
  const { replies, ...totals } = server.counters()
  const lines = Object.entries(totals).map(([name, value]) => {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return `sotto_relay_${snake} ${value}`
  })
  for (const [kind, value] of Object.entries(replies))
    lines.push(`sotto_relay_replies{kind="${kind}"} ${value}`)
  return `${lines.join('\n')}\n`
}

/** Serves the web app, `/healthz`, `/.well-known/sotto` and, if wanted, `/metrics`. */
export function openWeb(options: WebOptions): Promise<Web> {
  return new Promise((resolve, reject) => {
    const listener: ServerType = serve(
      { fetch: pages(options).fetch, hostname: options.host, port: options.port, serverOptions: httpBounds },
      ({ address, family, port }) => {
        const host = family === 'IPv6' ? `[${address}]` : address
        resolve({ url: `http://${host}:${port}`, close: () => closeWeb(listener) })
      },
    )
    listener.once('error', reject)
  })
}

/** Slow or swollen requests are cut off before they hold anything. */
const httpBounds = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
}

function closeWeb(listener: ServerType): Promise<void> {
  return new Promise((resolve) => {
    listener.close(() => resolve())
    if ('closeAllConnections' in listener) listener.closeAllConnections()
  })
}

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { securityHeaders, serveStatic } from '@sotto/core/host-node'
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

const plainPage = (peerId: string): string =>
  `This is a Sotto relay. It keeps sealed messages for people who are away and can read none of them.\n${peerId}\n`

function pages(options: WebOptions): Hono {
  const pages = new Hono()
  pages.use('*', async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaders)) context.header(name, value)
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
  for (const path of ['/', '/i']) pages.get(path, (context) => context.text(plainPage(options.peerId)))
  pages.get('*', (context) => context.text('not found\n', 404))
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

/** The app's files as they were at the start, and the relay's own pages for all other paths. */
function answers(options: WebOptions): RequestListener {
  const own = getRequestListener(pages(options).fetch)
  if (options.app === undefined) return (request, response) => void own(request, response)
  const files = serveStatic(options.app)
  return (request, response) =>
    void files(request, response)
      .then((served) => (served ? undefined : own(request, response)))
      // A file that went away since the start.
      .catch(() => response.destroy())
}

/** Serves the web app, `/healthz`, `/.well-known/sotto` and, if wanted, `/metrics`. */
export function openWeb(options: WebOptions): Promise<Web> {
  return new Promise((resolve, reject) => {
    const listener = createServer(httpBounds, answers(options))
    listener.once('error', reject)
    listener.listen(options.port, options.host, () => {
      const { address, family, port } = listener.address() as AddressInfo
      const host = family === 'IPv6' ? `[${address}]` : address
      resolve({ url: `http://${host}:${port}`, close: () => closeWeb(listener) })
    })
  })
}

/** Slow or swollen requests are cut off before they hold anything. */
const httpBounds = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
}

function closeWeb(listener: Server): Promise<void> {
  return new Promise((resolve) => {
    listener.close(() => resolve())
    listener.closeAllConnections()
  })
}

import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const secret = (): string => randomBytes(32).toString('base64url')

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Every value a cookie header gives for a name. */
function cookieValues(header: string | undefined, name: string): string[] {
  return (header ?? '').split(';').flatMap((part) => {
    const at = part.indexOf('=')
    return at !== -1 && part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : []
  })
}

/** Links that work once and not yet used; more are not kept. */
const maxOpenLinks = 16

/**
 * Who may use a loopback server. Any page in the browser can send requests to it, and a name can be made to
 * point at it, so three things are asked: a `Host` that names this server, no foreign `Origin`, and a cookie
 * that only the one-time link printed on the terminal gives.
 */
export class Guard {
  readonly #hosts: ReadonlySet<string>
  readonly #cookie: string
  readonly #session = secret()
  readonly #links = new Set<string>()

  constructor(port: number) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
    // Cookies know no ports: the name keeps two nodes of one machine apart.
    this.#cookie = `sotto-${port}`
  }

  /** A fresh path that opens the page once. */
  issuePath(): string {
    const oldest = this.#links.values().next().value
    if (this.#links.size >= maxOpenLinks && oldest !== undefined) this.#links.delete(oldest)
    const token = secret()
    this.#links.add(token)
    return `/open/${token}`
  }

  /** Uses a path up; the cookie to set when it was good. */
  redeem(path: string): string | undefined {
    const token = path.startsWith('/open/') ? path.slice('/open/'.length) : ''
    const found = [...this.#links].find((open) => same(open, token))
    if (found === undefined) return undefined
    this.#links.delete(found)
    return `${this.#cookie}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`
  }

  isOurHost(request: IncomingMessage): boolean {
    return this.#hosts.has((request.headers.host ?? '').toLowerCase())
  }

  /** No origin, or this server's own as the request names it. `required` for WebSockets, which browsers let cross. */
  isOurOrigin(request: IncomingMessage, required: boolean): boolean {
    const { origin, host } = request.headers
    if (origin === undefined) return !required
    return origin.toLowerCase() === `http://${(host ?? '').toLowerCase()}`
  }

  hasSession(request: IncomingMessage): boolean {
    return cookieValues(request.headers.cookie, this.#cookie).some((value) => same(value, this.#session))
  }
}

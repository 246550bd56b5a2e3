import { createReadStream, readdirSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/**
 * The page's whole permission: its own files, WebAssembly, sockets; no other origin, no inline script, no
 * frame. The Worker takes its policy from its own response, so every file carries it.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' ws: wss:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types default sotto-script',
].join('; ')

/** Headers of every answer, the refusals included. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/** How a static server answers. */
export interface StaticOptions {
  /** Paths that show the page itself, such as `/i` of an invite link. */
  readonly pages?: readonly string[]
}

/** Answers a request; false when no file of the directory is meant and nothing was written. */
export type StaticHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

/**
 * Serves the files that are in the directory now, each by its exact path and nothing else, with the policy
 * above. `index.html` stands for `/` and the listed pages and is asked for anew each time; files under
 * `assets/` have a hash in their name and are kept.
 */
export function serveStatic(directory: string, options: StaticOptions = {}): StaticHandler {
  const files = new Map<string, string>()
  collect(directory, '/', files)
  const index = files.get('/index.html')
  if (index !== undefined) for (const page of ['/', ...(options.pages ?? ['/i'])]) files.set(page, index)
  return async (request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    const file = files.get(path)
    if (file === undefined) return false
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...securityHeaders, Allow: 'GET, HEAD' }).end()
      return true
    }
    await send(file, path, request.method === 'HEAD', response)
    return true
  }
}

/** Dot files are no part of an app. */
function collect(directory: string, prefix: string, files: Map<string, string>): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) collect(path, `${prefix}${entry.name}/`, files)
    else if (entry.isFile()) files.set(prefix + entry.name, path)
  }
}

async function send(file: string, path: string, headOnly: boolean, response: ServerResponse): Promise<void> {
  response.writeHead(200, {
    ...securityHeaders,
    'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    'Content-Length': statSync(file).size,
    'Content-Type': types[extname(file)] ?? 'application/octet-stream',
  })
  if (headOnly) {
    response.end()
    return
  }
  try {
    await pipeline(createReadStream(file), response)
  } catch {
    // The browser went away; there is nobody to tell.
    response.destroy()
  }
}

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { contentSecurityPolicy, serveStatic } from '@sotto/core/host-node'

describe('the static server', () => {
  const root = mkdtempSync(join(tmpdir(), 'sotto-static-'))
  const app = join(root, 'app')
  mkdirSync(join(app, 'assets'), { recursive: true })
  writeFileSync(join(app, 'index.html'), '<!doctype html>page')
  writeFileSync(join(app, 'assets', 'main-abc.js'), 'script')
  writeFileSync(join(app, '.env'), 'hidden')
  writeFileSync(join(root, 'outside.txt'), 'outside')
  symlinkSync(join(root, 'outside.txt'), join(app, 'link.txt'))

  const handle = serveStatic(app)
  const server = createServer((incoming, response) => {
    void handle(incoming, response).then((handled) => {
      if (!handled) response.writeHead(404).end()
    })
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(root, { recursive: true })
  })

  /** Sends the path as it is, dots and all. */
  async function get(path: string, method = 'GET') {
    const { port } = server.address() as AddressInfo
    const sent = request({ host: '127.0.0.1', port, path, method })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }
  }

  it('serves the page at its paths and the assets at theirs, each with the whole policy', async () => {
    for (const path of ['/', '/index.html', '/i', '/i?x=1']) {
      const { status, headers, body } = await get(path)
      expect([status, body]).to.deep.equal([200, '<!doctype html>page'])
      expect(headers).to.include({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' })
      expect(headers['content-security-policy']).to.equal(contentSecurityPolicy)
    }
    const { headers, body } = await get('/assets/main-abc.js')
    expect(body).to.equal('script')
    expect(headers['content-type']).to.equal('text/javascript; charset=utf-8')
    expect(headers['cache-control']).to.include('immutable')
    expect(headers['content-security-policy']).to.equal(contentSecurityPolicy)
  })

  it('serves nothing that is not a file of the app', async () => {
    const paths = [
      '/.env',
      '/link.txt',
      '/../outside.txt',
      '/..%2foutside.txt',
      '/assets/../index.html',
      '/assets',
      '/nothing',
    ]
    for (const path of paths) expect((await get(path)).status, path).to.equal(404)
  })

  it('reads only', async () => {
    expect((await get('/', 'POST')).status).to.equal(405)
    const head = await get('/', 'HEAD')
    expect([head.status, head.body, head.headers['content-length']]).to.deep.equal([200, '', '19'])
  })

  it('allows no other origin, inline script or frame', () => {
    expect(contentSecurityPolicy).to.include("default-src 'none'").and.include("frame-ancestors 'none'")
    expect(contentSecurityPolicy).to.not.include('unsafe-inline')
    expect(contentSecurityPolicy).to.not.match(/https?:/)
  })
})

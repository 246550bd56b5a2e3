import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import type { DeviceFace } from '@sotto/core'
import { serveStatic } from '@sotto/core/host-node'
import { remoteFace, socketPort } from '@sotto/core/message-port'
import { WebSocket } from 'ws'
import { nodeLimits } from '../../packages/node/src/limits.ts'
import { serveWebFace } from '../../packages/node/src/web-face/server.ts'
import type { WebFace } from '../../packages/node/src/web-face/server.ts'
import { FakeFace, fakeContact } from '../support/fake-face.ts'
import { temporaryFolder } from '../support/folder.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

describe('node: local web face', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let face: FakeFace
  let web: WebFace
  let host: string

  beforeEach(async () => {
    folder = temporaryFolder()
    mkdirSync(`${folder.path}/app/assets`, { recursive: true })
    writeFileSync(`${folder.path}/app/index.html`, '<!doctype html><title>Sotto</title>')
    writeFileSync(`${folder.path}/app/assets/a.js`, 'export {}')
    writeFileSync(`${folder.path}/secret.txt`, 'outside')
    face = new FakeFace('Ada')
    web = await serveWebFace(face, serveStatic(`${folder.path}/app`), 0)
    host = new URL(web.origin).host
  })

  afterEach(async () => {
    await web.close()
    folder.remove()
  })

  function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(web.origin)
      const asked = request({ hostname, port, path, method, headers: { host, ...headers } }, (response) => {
        let body = ''
        response.on('data', (chunk) => (body += String(chunk)))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  async function signIn(): Promise<{ cookie: string }> {
    const opened = await get(new URL(web.open()).pathname)
    return { cookie: (opened.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '' }
  }

  /** How an attempt to open the WebSocket ended. */
  function socket(headers: Record<string, string>, path = '/face'): Promise<WebSocket | number> {
    return new Promise((resolve) => {
      const opened = new WebSocket(`ws://${host}${path}`, { headers })
      opened.on('open', () => resolve(opened))
      opened.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0)
        opened.terminate()
      })
      opened.on('error', () => undefined)
    })
  }

  it('listens on this machine alone', () => {
    expect(new URL(web.origin).hostname).to.equal('127.0.0.1')
  })

  it('gives its cookie for a link that works once', async () => {
    const path = new URL(web.open()).pathname
    const first = await get(path)
    expect(first.status).to.equal(303)
    expect(first.headers.location).to.equal('/')
    expect(first.headers['set-cookie']?.[0]).to.match(/; HttpOnly; SameSite=Strict$/)
    expect(first.headers['referrer-policy']).to.equal('no-referrer')
    expect((await get(path)).status).to.equal(403)
    for (const wrong of ['/open/', '/open/x', `${path}x`, path.slice(0, -1)]) {
      const refused = await get(wrong)
      expect([refused.status, refused.headers['set-cookie']], wrong).to.deep.equal([403, undefined])
    }
  })

  it('shows the page and says it is a node only to whoever came by the link', async () => {
    expect((await get('/')).status).to.equal(403)
    expect((await get('/face.json')).status).to.equal(403)
    expect((await get('/face.json', { cookie: `sotto-${host.split(':')[1]}=wrong` })).status).to.equal(403)
    const cookie = await signIn()
    const page = await get('/', cookie)
    expect([page.status, page.body]).to.deep.equal([200, '<!doctype html><title>Sotto</title>'])
    expect((await get('/any/route', cookie)).body).to.include('Sotto')
    const said = await get('/face.json', cookie)
    expect(JSON.parse(said.body)).to.deep.equal({ face: 'node' })
  })

  it('puts its policy on every file and serves none from outside the app', async () => {
    const cookie = await signIn()
    for (const path of ['/', '/assets/a.js', '/assets/none.js']) {
      const { headers } = await get(path, cookie)
      expect(headers['content-security-policy'], path)
        .to.include("default-src 'none'")
        .and.include("require-trusted-types-for 'script'")
      expect(headers['x-content-type-options'], path).to.equal('nosniff')
    }
    expect((await get('/assets/a.js')).headers['content-type']).to.include('javascript')
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/%00.txt',
      '/%zz.txt',
    ]) {
      const answer = await get(path, cookie)
      expect(answer.status, path).to.equal(404)
      expect(answer.body).not.to.include('outside')
    }
  })

  it('refuses a foreign Host, whoever asks', async () => {
    const cookie = await signIn()
    for (const wrong of [
      'evil.example',
      `evil.example:${host.split(':')[1]}`,
      '127.0.0.1',
      'localhost',
      `127.0.0.1.evil.example:1`,
    ]) {
      for (const path of ['/', '/face.json', '/assets/a.js', new URL(web.open()).pathname]) {
        const { status, headers } = await get(path, { ...cookie, host: wrong })
        expect(status, `${wrong} ${path}`).to.equal(421)
        expect(headers['set-cookie']).to.equal(undefined)
      }
    }
    expect((await get('/face.json', { ...cookie, host: `localhost:${host.split(':')[1]}` })).status).to.equal(
      200,
    )
  })

  it('refuses a foreign Origin, and every method that could change something', async () => {
    const cookie = await signIn()
    for (const origin of [
      'https://evil.example',
      'null',
      `https://${host}`,
      `http://${host}.evil.example`,
      'http://127.0.0.1:1',
    ]) {
      expect((await get('/face.json', { ...cookie, origin })).status, origin).to.equal(403)
    }
    expect((await get('/face.json', { ...cookie, origin: web.origin })).status).to.equal(200)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      expect((await get('/face.json', cookie, method)).status, method).to.equal(405)
    }
  })

  it('opens its socket only with the cookie, from its own page, under its own name', async () => {
    const cookie = await signIn()
    const good = { ...cookie, origin: web.origin }
    const bad: [string, Record<string, string>, string?][] = [
      ['no cookie', { origin: web.origin }],
      ['wrong cookie', { origin: web.origin, cookie: `${cookie.cookie}x` }],
      ['no origin', cookie],
      ['foreign origin', { ...cookie, origin: 'https://evil.example' }],
      ['foreign host', { ...good, host: 'evil.example' }],
      ['another path', good, '/other'],
    ]
    for (const [what, headers, path] of bad) expect(await socket(headers, path), what).to.equal(403)
    const opened = await socket(good)
    expect(opened).to.be.instanceOf(WebSocket)
    ;(opened as WebSocket).terminate()
  })

  it('is the device itself to its page', async () => {
    const opened = (await socket({ ...(await signIn()), origin: web.origin })) as WebSocket
    const remote = remoteFace<DeviceFace>(socketPort(opened))
    face.contacts = [fakeContact(1, 'Bob')]
    expect(await remote.view('contacts', {})).to.deep.equal(face.contacts)
    const event = new Promise((resolve) => remote.subscribe(resolve))
    const { conversationId } = face.contacts[0]!
    const message = await remote.dispatch('send', { conversationId, text: 'from the page' })
    expect(await event).to.have.nested.property('message.messageId', message.messageId)
    const wrong: unknown = await remote
      .dispatch('send', { text: 1 } as never)
      .catch((error: unknown) => error)
    expect(wrong).to.include({ code: 'E_USAGE', fault: 'usage' })
    remote.close()
    const closed = new Promise<void>((resolve) => opened.once('close', () => resolve()))
    opened.close()
    await closed
  })

  it('124 stays alive under messages too long or too deep, header bombs and bodies', async () => {
    const cookie = await signIn()
    for (const message of ['x'.repeat(nodeLimits.requestBytes + 1), '['.repeat(10_000)]) {
      const opened = (await socket({ ...cookie, origin: web.origin })) as WebSocket
      opened.on('error', () => undefined)
      const closed = new Promise<void>((resolve) => opened.once('close', () => resolve()))
      opened.send(message)
      await closed
    }
    expect((await get('/', { ...cookie, bomb: 'x'.repeat(nodeLimits.httpHeaderBytes) })).status).to.equal(431)
    const { port } = new URL(web.origin)
    const body = connect(Number(port), '127.0.0.1')
    body.on('error', () => undefined)
    const ended = new Promise<void>((resolve) => body.once('close', () => resolve()))
    body.write(`POST /face.json HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 100000000\r\n\r\n`)
    const answered = new Promise<string>((resolve) => body.once('data', (chunk) => resolve(String(chunk))))
    expect(await answered).to.match(/^HTTP\/1\.1 405/)
    body.destroy()
    await ended
    expect((await get('/face.json', cookie)).status).to.equal(200)
  })
})

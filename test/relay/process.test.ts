import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ackRequest,
  createQueueRequest,
  fetchRequest,
  lookupRequest,
  putRequest,
  recordRequest,
  subscribeRequest,
  type QueueKeys,
} from '../../packages/core/src/mailbox/index.ts'
import { toBase32, toBase64Url, toHex, utf8 } from '../../packages/core/src/wire/index.ts'
import {
  connectTo,
  crypto,
  freshKeys,
  runToEnd,
  startProcess,
  temporary,
  type RelayClient,
  type RelayProcess,
} from './support.ts'

const dayMs = 24 * 60 * 60 * 1_000

const create = (client: RelayClient, keys: QueueKeys) =>
  client.ask((id) => createQueueRequest(crypto, client.session, id, keys, 'inbox'))
const put = (client: RelayClient, keys: QueueKeys, text: string) =>
  client.ask((id) => putRequest(crypto, client.session, id, keys.write, utf8(text)))

async function textsAt(client: RelayClient, keys: QueueKeys): Promise<readonly string[]> {
  const texts: string[] = []
  for (let after = 0, more = true; more;) {
    const cursor = after
    const page = await client.ask((id) => fetchRequest(crypto, client.session, id, keys.read, cursor))
    if (page.kind !== 'page') throw new Error(page.kind)
    texts.push(...page.items.map(({ blob }) => new TextDecoder().decode(blob)))
    ;({ after, more } = page)
  }
  return texts
}

describe('relay process', function () {
  this.timeout(60_000)
  let home: Awaited<ReturnType<typeof temporary>>
  let relay: RelayProcess
  const clients: RelayClient[] = []
  const client = async (address?: string): Promise<RelayClient> => {
    const connected = await connectTo(relay.ready, address)
    clients.push(connected)
    return connected
  }

  before(async () => {
    home = await temporary()
    relay = await startProcess(home.path, ['--log', join(home.path, 'relay.log')])
  })
  after(async () => {
    await Promise.all(clients.map((each) => each.stop()))
    await relay.end('SIGKILL')
    await home.after()
  })

  it('says where it is in its first line and keeps its key to itself', async () => {
    expect(relay.ready.event).to.equal('ready')
    expect(relay.ready.listen).to.have.length(2)
    expect(relay.ready.listen.some((address) => address.includes('/ws/'))).to.equal(true)
    for (const address of relay.ready.listen) expect(address).to.contain(`/p2p/${relay.ready.peerId}`)
    expect((await stat(join(home.path, 'identity.key'))).mode & 0o777).to.equal(0o600)
  })

  it('carries items and records between peers over TCP and WebSocket', async () => {
    const ws = relay.ready.listen.find((address) => address.includes('/ws/'))
    const [reader, writer] = await Promise.all([client(), client(ws)])
    const keys = freshKeys()
    expect((await create(reader, keys)).kind).to.equal('done')
    expect((await put(writer, keys, 'while away')).kind).to.equal('done')
    expect(await textsAt(reader, keys)).to.deep.equal(['while away'])

    const subscribed = await reader.ask((id) => subscribeRequest(crypto, reader.session, id, keys.read, 1))
    expect(subscribed.kind).to.equal('done')
    expect((await put(writer, keys, 'while here')).kind).to.equal('done')
    const push = await reader.pushed()
    expect(push.recvId).to.deep.equal(keys.recvId)
    expect(push.items.map(({ blob }) => new TextDecoder().decode(blob))).to.deep.equal(['while here'])
    const upTo = push.items[0]?.cursor ?? 0
    expect((await reader.ask((id) => ackRequest(crypto, reader.session, id, keys.read, upTo))).kind).to.equal(
      'done',
    )
    expect(await textsAt(reader, keys)).to.deep.equal([])

    const locator = new Uint8Array(randomBytes(32))
    const edit = crypto.signKeyPair(new Uint8Array(randomBytes(32)))
    const entry = { locator, value: utf8('sealed invite'), expiresAtMs: Date.now() + dayMs }
    const kept = await writer.ask((id) => recordRequest(crypto, writer.session, id, edit, entry))
    expect(kept.kind).to.equal('done')
    const found = await reader.ask((id) => lookupRequest(crypto, reader.session, id, locator))
    expect(found.kind === 'record' && found.value).to.deep.equal(entry.value)
  })

  it('answers health and its address, and lets no page out of the app', async () => {
    const get = (path: string) => fetch(`${relay.ready.http}${path}`)
    const health = await get('/healthz')
    expect([health.status, await health.json()]).to.deep.equal([200, { status: 'ok' }])
    const known = (await (await get('/.well-known/sotto')).json()) as Record<string, unknown>
    expect(known).to.deep.equal({
      peerId: relay.ready.peerId,
      addresses: relay.ready.listen,
      protocol: '/sotto/relay/1',
      web: (await client()).session.web,
    })
    for (const path of [
      '/',
      '/healthz',
      '/no/such/page',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/%00',
    ]) {
      const response = await get(path)
      expect(response.headers.get('content-security-policy'), path).to.contain("default-src 'none'")
      expect(response.headers.get('x-content-type-options'), path).to.equal('nosniff')
      expect(await response.text(), path).to.not.contain('workspaces')
    }
    expect((await get('/metrics')).status, 'off unless wanted').to.equal(404)
    expect((await fetch(`${relay.ready.http}/`, { method: 'POST', body: 'x' })).status).to.equal(405)
  })

  it('serves the app it is given, its invite page too, and nothing beside it', async () => {
    const app = await temporary()
    const other = await temporary()
    await writeFile(join(app.path, 'index.html'), '<!doctype html><title>app</title>')
    await mkdir(join(app.path, 'assets'))
    await writeFile(join(app.path, 'assets', 'main-AbCd1234.js'), 'export {}')
    await writeFile(join(other.path, 'secret.txt'), 'secret')
    await symlink(join(other.path, 'secret.txt'), join(app.path, 'link.txt'))
    const second = await startProcess(other.path, [], {
      SOTTO_RELAY__HTTP__APP: app.path,
      SOTTO_RELAY__HTTP__METRICS: 'true',
    })
    try {
      const get = (path: string) => fetch(`${second.ready.http}${path}`)
      for (const path of ['/', '/i']) expect(await (await get(path)).text(), path).to.contain('<title>app')
      const script = await get('/assets/main-AbCd1234.js')
      expect(script.headers.get('content-type')).to.contain('text/javascript')
      expect(script.headers.get('cache-control')).to.contain('immutable')
      expect(script.headers.get('content-security-policy')).to.contain("script-src 'self'")
      expect((await get('/link.txt')).status).to.equal(404)
      expect((await fetch(`${second.ready.http}/`, { method: 'POST', body: 'x' })).status).to.equal(405)
      expect((await get('/healthz')).status).to.equal(200)
      const { host } = new URL(second.ready.http)
      expect(await (await get('/.well-known/sotto')).json()).to.include({ web: host })
      const visitor = await connectTo(second.ready)
      expect(visitor.session.web, 'in the greeting too').to.equal(host)
      await visitor.stop()
      expect(await (await get('/metrics')).text()).to.match(/^sotto_relay_channels 0$/m)
    } finally {
      expect(await second.end('SIGTERM')).to.equal(0)
      await app.after()
      await other.after()
    }
  })

  it('refuses a second process in its directory', async () => {
    const second = await runToEnd(['run', '--data', home.path, '--http', '127.0.0.1:0', '--json'])
    expect(second.code).to.equal(7)
    expect(JSON.parse(second.stdout)).to.have.nested.property('error.code', 'E_LOCKED')
    expect((await fetch(`${relay.ready.http}/healthz`)).status).to.equal(200)
  })

  it('keeps every item it gave a receipt for when it is killed', async () => {
    const writer = await client()
    const keys = freshKeys()
    expect((await create(writer, keys)).kind).to.equal('done')
    const receipts: string[] = []
    const enough = Promise.withResolvers<undefined>()
    for (let i = 0; i < 60; i++)
      void put(writer, keys, `item ${i}`)
        .then((reply) => {
          if (reply.kind === 'done') receipts.push(`item ${i}`)
          if (receipts.length === 25) enough.resolve(undefined)
        })
        .catch(() => undefined)
    await enough.promise
    await relay.end('SIGKILL')
    expect(receipts.length).to.be.at.least(25)

    const before = relay.ready.peerId
    relay = await startProcess(home.path, ['--log', join(home.path, 'relay.log')])
    expect(relay.ready.peerId, 'the same relay').to.equal(before)
    const reader = await client()
    const kept = await textsAt(reader, keys)
    expect(kept).to.include.members(receipts)
    expect(new Set(kept).size).to.equal(kept.length)
  })

  it('writes no peer, address, queue or locator into its log, and no peer or address into its store', async () => {
    const peer = await client()
    const keys = freshKeys()
    const locator = new Uint8Array(randomBytes(32))
    await create(peer, keys)
    await put(peer, keys, 'kept')
    await put(peer, freshKeys(), 'denied')
    const edit = crypto.signKeyPair(new Uint8Array(randomBytes(32)))
    const entry = { locator, value: utf8('v'), expiresAtMs: Date.now() + dayMs }
    await peer.ask((id) => recordRequest(crypto, peer.session, id, edit, entry))
    expect(await relay.end('SIGTERM'), 'a clean end').to.equal(0)

    const inStore = [peer.peerId, '127.0.0.1', 'p2p-circuit']
    const names = [keys.recvId, keys.sendId, locator].flatMap((id) => [
      toHex(id),
      toBase32(id),
      toBase64Url(id),
    ])
    const log = await readFile(join(home.path, 'relay.log'), 'utf8')
    expect(log).to.contain('relay.started')
    for (const planted of [...inStore, ...names]) expect(log).to.not.contain(planted)
    const files = await readdir(home.path, { recursive: true, withFileTypes: true })
    let read = 0
    for (const file of files.filter((entry) => entry.isFile())) {
      const content = await readFile(join(file.parentPath, file.name), 'latin1')
      read += content.length
      for (const planted of inStore) expect(content, file.name).to.not.contain(planted)
    }
    expect(read).to.be.greaterThan(100)
  })
})

describe('relay command', () => {
  it('ends with exit 2 and a suggestion on an unknown setting', async () => {
    const { code, stdout } = await runToEnd(['check-config', '--json'], {
      SOTTO_RELAY__MAILBOX__QUEUE_ITEM: '5',
    })
    expect(code).to.equal(2)
    expect(JSON.parse(stdout)).to.deep.equal({
      error: {
        code: 'E_CONFIG',
        message: 'unknown setting mailbox.queue_item',
        hint: 'did you mean mailbox.queue_items?',
        retryable: false,
      },
    })
  })

  it('ends with exit 2 without a directory, and with exit 0 when asked for help', async () => {
    expect((await runToEnd(['run'])).code).to.equal(2)
    expect((await runToEnd(['--help'])).code).to.equal(0)
  })
})

import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { InvariantError, PortError, UsageError } from '@sotto/core'
import { homePaths } from '../../packages/node/src/home/paths.ts'
import { findDaemon, leaveNotice } from '../../packages/node/src/local-api/find-daemon.ts'
import type { NodeControl } from '../../packages/node/src/local-api/rpc-session.ts'
import { openSocket } from '../../packages/node/src/local-api/socket-server.ts'
import type { SocketServer } from '../../packages/node/src/local-api/socket-server.ts'
import { connectNode } from '../../packages/node/src/local-api/socket-client.ts'
import { FakeCli } from '../support/cli.ts'
import type { Ran } from '../support/cli.ts'
import { FakeFace, fakeContact } from '../support/fake-face.ts'
import { temporaryFolder } from '../support/folder.ts'
import { rawSocket } from '../support/raw-socket.ts'

const info = { version: '0', pid: 1, home: '/h', keyProtection: 'file', web: null } as const
const control: NodeControl = { info: () => info, openWeb: () => undefined, shutdown: () => undefined }

describe('node: local socket', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let face: FakeFace
  let server: SocketServer
  let path: string

  beforeEach(async () => {
    folder = temporaryFolder()
    face = new FakeFace('Ada')
    path = `${folder.path}/run/s.sock`
    server = await openSocket(path, face, control)
  })

  afterEach(async () => {
    await server.close()
    folder.remove()
  })

  it('belongs to this user alone', () => {
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect(statSync(`${folder.path}/run`).mode & 0o777).to.equal(0o700)
  })

  it('refuses a folder that is open to others', async () => {
    const open = temporaryFolder()
    const { chmodSync } = await import('node:fs')
    chmodSync(open.path, 0o755)
    const failure = await openSocket(`${open.path}/s.sock`, face, control).catch((error: unknown) => error)
    open.remove()
    expect(failure).to.have.property('code', 'E_RUNTIME_DIR')
  })

  it('is the device itself to a client: commands, queries, events, failures', async () => {
    const node = await connectNode(path)
    const seen: number[] = []
    const stop = node.face.subscribe(({ seq }) => seen.push(seq))
    expect(await node.face.view('self', {})).to.deep.equal(face.self)
    face.contacts = [fakeContact(1, 'Bob')]
    const { conversationId } = face.contacts[0]!
    const message = await node.face.dispatch('send', { conversationId, text: 'ünï\n"code"' })
    expect(message).to.deep.equal(face.messages[0])
    await node.face.view('self', {})
    expect(seen).to.deep.equal([1])
    stop()
    face.failNext = new PortError('E_STORE_FULL', 'full', { retryable: true, hint: 'make room' })
    const failure: unknown = await node.face.dispatch('retry-now', {}).catch((error: unknown) => error)
    expect(failure)
      .to.be.instanceOf(PortError)
      .that.includes({ code: 'E_STORE_FULL', retryable: true, hint: 'make room' })
    const wrong: unknown = await node.face
      .dispatch('send', { conversationId } as never)
      .catch((error: unknown) => error)
    expect(wrong).to.be.instanceOf(UsageError).that.includes({ code: 'E_USAGE' })
    expect(await node.info()).to.deep.equal(info)
    node.close()
    await node.closed
  })

  it('rejects what waits when the daemon ends', async () => {
    const node = await connectNode(path)
    await node.info()
    face.gate = new Promise(() => undefined)
    const waiting = node.face.dispatch('retry-now', {}).catch((error: unknown) => error)
    await node.info()
    await server.close()
    expect(await waiting).to.include({ code: 'E_NOT_RUNNING', retryable: true })
  })

  it('replays events from a number on, then goes on', async () => {
    for (let at = 0; at < 5; at += 1) face.emit({ type: 'connection', connection: 'local' })
    const { socket, next } = rawSocket(path)
    socket.write('{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{"since":3}}\n')
    expect(await next()).to.have.nested.property('params.event.seq', 4)
    expect(await next()).to.have.nested.property('params.event.seq', 5)
    expect(await next()).to.deep.equal({ jsonrpc: '2.0', id: 1, result: null })
    face.emit({ type: 'connection', connection: 'direct' })
    expect(await next()).to.have.nested.property('params.event.seq', 6)
    socket.destroy()
  })

  it('answers unknown methods and wrong input without harm', async () => {
    const { socket, next } = rawSocket(path)
    const ask = (method: string, params: unknown) => {
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 7, method, params })}\n`)
      return next()
    }
    expect(await ask('toString', {})).to.have.nested.property('error.code', -32601)
    for (const [method, params] of [
      ['dispatch', { command: 'constructor', input: {} }],
      ['dispatch', { command: 'send', input: { conversationId: 1, text: 'x' } }],
      ['dispatch', { command: 'send', input: { conversationId: 'x', text: 'x'.repeat(40_000) } }],
      ['view', { query: '__proto__', input: {} }],
      ['view', { query: 'self', input: { more: 1 } }],
      ['view', null],
      ['events.subscribe', { since: 'x' }],
    ] as const) {
      expect(await ask(method, params), JSON.stringify(params).slice(0, 60)).to.have.nested.property(
        'error.data.code',
        'E_USAGE',
      )
    }
    expect(face.dispatched).to.be.empty
    socket.destroy()
  })

  it('ends with a client that goes away, also while events flow', async () => {
    const { socket, next } = rawSocket(path)
    socket.write('{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{}}\n')
    await next()
    expect(face.listeners).to.equal(1)
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.destroy()
    await gone
    const probe = rawSocket(path)
    probe.socket.write('{"jsonrpc":"2.0","id":1,"method":"system.info"}\n')
    await probe.next()
    expect(face.listeners).to.equal(0)
    probe.socket.destroy()
  })

  it('replaces a socket that a dead daemon left', async () => {
    const stale = `${folder.path}/run/stale.sock`
    writeFileSync(stale, '')
    const second = await openSocket(stale, face, control)
    const node = await connectNode(stale)
    expect(await node.info()).to.deep.equal(info)
    node.close()
    await second.close()
  })

  it('finds a daemon by its note, and none where the note is stale', async () => {
    const notice = `${folder.path}/api.json`
    expect(await findDaemon(notice)).to.equal(undefined)
    for (const left of [`${folder.path}/none.sock`, notice]) {
      leaveNotice(notice, left)
      expect(await findDaemon(notice), left).to.equal(undefined)
    }
    writeFileSync(notice, 'rubbish')
    expect(await findDaemon(notice)).to.equal(undefined)
    leaveNotice(notice, path)
    const node = await findDaemon(notice)
    expect(node).not.to.equal(undefined)
    node?.close()
  })
})

describe('node: daemon', () => {
  let cli: FakeCli
  beforeEach(() => (cli = new FakeCli('Ada')))
  afterEach(() => cli.folder.remove())

  it('says it is ready in one line, tells events without text, and cleans up on a signal', async () => {
    const bob = fakeContact(20, 'Bob')
    const { up } = await cli.whileUp(
      [
        '--bootstrap',
        '/ip4/1.1.1.1/tcp/1',
        '/ip4/1.1.1.2/tcp/1',
        '--relay',
        '/ip4/2.2.2.2/tcp/2',
        '--no-mdns',
      ],
      async () => {
        cli.face.emit({ type: 'message', message: cli.face.message('c', 'secret text', bob) })
      },
    )
    expect(up.code).to.equal(0)
    expect(up.lines[0]).to.include({ event: 'ready', peerId: 'peer' })
    expect(up.lines[0]).to.deep.include({ listen: ['/ip4/127.0.0.1/tcp/4001'] })
    expect(up.lines[1]).to.include({ event: 'message', seq: 1 })
    expect(up.out).not.to.include('secret text')
    expect(cli.face.dispatched.map(({ command }) => command)).to.deep.equal([
      'add-bootstrap',
      'add-bootstrap',
      'add-relay',
    ])
    expect(cli.opened[0]?.network).to.deep.equal({
      listen: ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws'],
      mdns: false,
    })
    expect(cli.stops).to.equal(1)
    expect(existsSync(String(up.lines[0]?.['api']))).to.equal(false)
    expect(existsSync(homePaths(cli.home, {}).api)).to.equal(false)
  })

  it('serves the commands of other processes, whatever their runtime folder', async () => {
    cli.face.contacts = [fakeContact(20, 'Bob')]
    const { result } = await cli.whileUp([], async () => {
      cli.env = { XDG_RUNTIME_DIR: '/nowhere' }
      const sent = await cli.run(['send', 'Bob', 'x', '--json'])
      const status = await cli.run(['status', '--json'])
      return { sent, status }
    })
    expect(result.sent.code).to.equal(0)
    expect(result.sent.err).to.equal('')
    expect(result.status.json).to.include({ running: true })
    expect(cli.opened).to.have.length(1)
  })

  it('waits for the step of the ladder that was asked for', async () => {
    const bob = fakeContact(20, 'Bob')
    cli.face.contacts = [bob]
    const { conversationId } = bob
    const answer = (state: 'relayed' | 'delivered' | 'failed'): void => {
      const stop = cli.face.subscribe((event) => {
        if (event.type !== 'message') return
        stop()
        const { messageId } = event.message
        queueMicrotask(() => {
          if (state === 'delivered')
            cli.face.emit({ type: 'state', messageId, conversationId, state: 'relayed' })
          cli.face.emit({ type: 'state', messageId, conversationId, state })
        })
      })
    }
    await cli.whileUp([], async () => {
      answer('relayed')
      expect((await cli.run(['send', 'Bob', 'x', '--wait', 'relay', '--json'])).json).to.include({
        state: 'relayed',
      })
      answer('delivered')
      expect((await cli.run(['send', 'Bob', 'x', '--wait', 'device', '--json'])).json).to.include({
        state: 'delivered',
      })
      answer('failed')
      const failed = await cli.run(['send', 'Bob', 'x', '--wait', 'device', '--json'])
      expect([failed.code, failed.json]).to.have.nested.property('[1].error.code', 'E_SEND_FAILED')
      answer('relayed')
      const late = await cli.run(['send', 'Bob', 'x', '--wait', 'device', '--timeout', '50ms', '--json'])
      expect(late.code).to.equal(8)
      expect(late.json).to.have.nested.property('error.code', 'E_TIMEOUT')
    })
  })

  it('ends when its device halts, and says why', async () => {
    const ended = new AbortController()
    const up = await cli.run(['up'], {
      interrupt: ended.signal,
      onOut: () => cli.halting.resolve(new InvariantError('E_BUG', 'an unexpected error stopped the device')),
    })
    expect(up.code).to.equal(1)
    expect(up.err).to.include('E_BUG')
    expect(cli.stops).to.equal(1)
  })

  it('is ended by down, which returns when it has ended', async () => {
    const interrupt = new AbortController()
    const { up, result } = await cli.whileUp([], async () => {
      const down = await cli.run(['down', '--json'])
      return { down, stops: cli.stops }
    })
    interrupt.abort()
    expect(result.down.json).to.deep.equal({ stopped: true })
    expect(result.stops).to.equal(1)
    expect(up.code).to.equal(0)
    const again = await cli.run(['down', '--json'])
    expect(again.code).to.equal(7)
    expect(again.json).to.have.nested.property('error.code', 'E_NOT_RUNNING')
  })

  it('is alone: a second up, init and wipe of the home are refused', async () => {
    await cli.whileUp([], async () => {
      const second = await cli.run(['up', '--json'])
      expect([second.code, second.json]).to.have.nested.property('[1].error.code', 'E_HOME_LOCKED')
      expect(second.code).to.equal(7)
      expect((await cli.run(['init', '--name', 'Eve'])).code).to.equal(1)
      expect((await cli.run(['wipe', '--yes'])).code).to.equal(7)
    })
    expect(cli.opened).to.have.length(1)
  })

  it('lets listen follow until the daemon ends', async () => {
    let listening: Promise<Ran> | undefined
    await cli.whileUp([], async () => {
      const first = Promise.withResolvers<undefined>()
      cli.face.emit({ type: 'connection', connection: 'local' })
      listening = cli.run(['listen', '--since', '0'], { onOut: () => first.resolve(undefined) })
      await first.promise
    })
    const { code, lines } = await listening!
    expect(lines[0]).to.include({ event: 'connection', connection: 'local', seq: 1 })
    expect(code).to.equal(7)
  })

  it('gives up on an unanswering stranger at the noted socket without hanging for ever', async () => {
    const path = `${cli.home}/other.sock`
    const stranger = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => stranger.listen(path, resolve))
    leaveNotice(homePaths(cli.home, {}).api, path)
    const { code } = await cli.run(['status', '--json'])
    stranger.close()
    expect(code).to.equal(7)
  })
})

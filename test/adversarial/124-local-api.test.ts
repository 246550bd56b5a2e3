import { expect } from 'chai'
import { nodeLimits } from '../../packages/node/src/limits.ts'
import type { NodeControl } from '../../packages/node/src/local-api/rpc-session.ts'
import { connectNode } from '../../packages/node/src/local-api/socket-client.ts'
import { openSocket } from '../../packages/node/src/local-api/socket-server.ts'
import type { SocketServer } from '../../packages/node/src/local-api/socket-server.ts'
import { FakeFace } from '../support/fake-face.ts'
import { temporaryFolder } from '../support/folder.ts'
import { rawSocket as raw } from '../support/raw-socket.ts'

const control: NodeControl = {
  info: () => ({ version: '0', pid: 1, home: '/h', keyProtection: 'file', web: null }),
  openWeb: () => undefined,
  shutdown: () => undefined,
}

describe('124 local API under hostile requests', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let face: FakeFace
  let server: SocketServer
  let path: string

  beforeEach(async () => {
    folder = temporaryFolder()
    face = new FakeFace('Ada')
    path = `${folder.path}/s.sock`
    server = await openSocket(path, face, control)
  })

  afterEach(async () => {
    await server.close()
    folder.remove()
  })

  it('124 stays alive under requests too long, too deep, too many, or no JSON at all', async () => {
    const hostile: [string, string][] = [
      ['x'.repeat(nodeLimits.requestBytes + 1), 'too long'],
      [`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}\n`, 'too deep'],
      ['{"a":\n', 'not JSON'],
      ['[{"jsonrpc":"2.0","id":1,"method":"system.info"}]\n', 'not one request'],
      ['null\n', 'not one request'],
    ]
    for (const [bytes, reason] of hostile) {
      const { socket, next, closed } = raw(path)
      socket.write(bytes)
      expect(await next(), reason).to.have.nested.property('error.message', reason)
      await closed
    }
    const flood = raw(path)
    face.gate = new Promise(() => undefined)
    for (let id = 1; id <= 10_000; id += 1) {
      flood.socket.write(
        `{"jsonrpc":"2.0","id":${id},"method":"dispatch","params":{"command":"retry-now","input":{}}}\n`,
      )
    }
    for (let refused = 0; refused < 10_000 - nodeLimits.parallelRequests; refused += 1) {
      expect(await flood.next()).to.have.nested.property('error.data.code', 'E_BUSY')
    }
    expect(face.dispatched).to.have.length(nodeLimits.parallelRequests)
    const node = await connectNode(path)
    expect(await node.face.view('self', {})).to.deep.equal(face.self)
    node.close()
    flood.socket.destroy()
  })

  it('124 takes no more connections than it says', async () => {
    const open = Array.from({ length: nodeLimits.connections + 5 }, () => raw(path))
    await Promise.race(open.slice(nodeLimits.connections).map(({ closed }) => closed))
    await Promise.all(open.slice(nodeLimits.connections).map(({ closed }) => closed))
    for (const { socket } of open) socket.destroy()
    await Promise.all(open.map(({ closed }) => closed))
  })
})

import { expect } from 'chai'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createQueueRequest, putRequest } from '../../packages/core/src/mailbox/index.ts'
import { utf8 } from '../../packages/core/src/wire/index.ts'
import { connectTo, crypto, freshKeys, startProcess, temporary } from '../relay/support.ts'

const halfOpen = 300

describe('091 slow loris', () => {
  it('091 a relay serves an honest peer while hundreds of others stall in their first byte', async () => {
    const home = await temporary()
    const relay = await startProcess(home.path)
    const sockets: Socket[] = []
    try {
      const address = relay.ready.listen.find((each) => !each.includes('/ws/')) ?? ''
      const port = Number(/tcp\/(\d+)/.exec(address)?.[1])
      for (let i = 0; i < halfOpen; i++) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        sockets.push(socket)
        await once(socket, 'connect')
        socket.write(Uint8Array.of(0x13))
      }
      const client = await connectTo(relay.ready, address)
      const keys = freshKeys()
      const created = await client.ask((id) => createQueueRequest(crypto, client.session, id, keys, 'inbox'))
      const put = await client.ask((id) => putRequest(crypto, client.session, id, keys.write, utf8('x')))
      expect([created.kind, put.kind]).to.deep.equal(['done', 'done'])
      await client.stop()
    } finally {
      for (const socket of sockets) socket.destroy()
      await relay.end('SIGKILL')
      await home.after()
    }
  })
})

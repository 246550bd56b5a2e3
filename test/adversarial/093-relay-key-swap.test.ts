import { expect } from 'chai'
import { multiaddr } from '@multiformats/multiaddr'
import { PortError } from '../../packages/core/src/errors.ts'
import { fetchRequest, mailboxProtocol } from '../../packages/core/src/mailbox/index.ts'
import { crypto as coreCrypto, keysOf, newQueue, startRelay } from '../core/mailbox/support.ts'
import { newPeer, startProcess, temporary } from '../relay/support.ts'

describe('093 relay key swap', () => {
  it('093 a relay with another key at a known address is not spoken to', async () => {
    const home = await temporary()
    const impostor = await startProcess(home.path)
    const [original, client] = await Promise.all([newPeer(), newPeer()])
    try {
      const pinned = await original.network.peerId()
      const address = (impostor.ready.listen[0] ?? '').replace(impostor.ready.peerId, pinned)
      client.gate.permit(multiaddr(address))
      const opened = await client.network
        .open(pinned, [address], mailboxProtocol)
        .catch((thrown: unknown) => thrown)
      expect(opened).to.be.instanceOf(PortError)
    } finally {
      await Promise.all([client.network.stop(), original.network.stop()])
      await impostor.end('SIGKILL')
      await home.after()
    }
  })

  it('093 a request for one relay is refused by another that knows the queue', async () => {
    const mine = startRelay({ relayPeerId: 'relay-one' })
    const other = startRelay({ relayPeerId: 'relay-two' })
    const client = mine.connect()
    await newQueue(other.connect(), 'q')
    const victim = other.connect()
    const request = fetchRequest(coreCrypto, client.session, 1, keysOf('q').read, 0)
    const [reply] = await victim.raw(request)
    expect(reply?.reply.kind).to.equal('denied')
  })
})

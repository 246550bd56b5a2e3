import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { AddressGate } from '@sotto/core/libp2p'
import { startNode } from '../support/libp2p-world.ts'
import { codeOf, testProtocol } from '../support/network-compliance.ts'

const peer = '12D3KooWAq2MqM2m35ttr5eWSdRZCgJ97hs4ezKYtadCvMzRcjJF'

/** Where a stranger would like us to knock. */
const inside = [
  '/ip4/127.0.0.1/tcp/22',
  '/ip4/127.8.8.8/tcp/80/ws',
  '/ip4/0.0.0.0/tcp/80',
  '/ip4/10.0.0.1/tcp/80',
  '/ip4/172.16.5.4/udp/53',
  '/ip4/192.168.1.1/tcp/80/ws',
  '/ip4/169.254.169.254/tcp/80',
  '/ip4/100.64.0.1/tcp/80',
  '/ip4/198.18.0.1/tcp/80',
  '/ip4/224.0.0.251/udp/5353',
  '/ip4/255.255.255.255/tcp/80',
  '/ip6/::1/tcp/80',
  '/ip6/::/tcp/80',
  '/ip6/fe80::1/tcp/80',
  '/ip6/fc00::1/tcp/80',
  '/ip6/fd00:ec2::254/tcp/80',
  '/ip6/::ffff:127.0.0.1/tcp/80',
  '/ip6/::ffff:10.0.0.1/tcp/80',
  '/ip6/::ffff:169.254.169.254/tcp/80',
  '/ip6/64:ff9b::7f00:1/tcp/80',
  '/ip6/2002:7f00:1::/tcp/80',
  '/ip6/ff02::fb/udp/5353',
  '/dns4/localhost/tcp/80/ws',
  '/dns/printer/tcp/443/wss',
  '/dns4/metadata.google.internal/tcp/80/wss',
  '/dns4/router.local/tcp/443/wss',
  '/dns4/rebind.example.org/tcp/80/ws',
  '/dns4/rebind.example.org/tcp/80',
  `/ip4/192.168.1.1/tcp/22/p2p/${peer}/p2p-circuit`,
  `/ip4/127.0.0.1/tcp/22/ws/p2p/${peer}/p2p-circuit/webrtc`,
]

const outside = [
  '/ip4/8.8.8.8/tcp/4001',
  '/ip4/8.8.8.8/tcp/443/tls/ws',
  '/ip6/2a00:1450::1/tcp/4001',
  '/dns4/relay.example.org/tcp/443/wss',
  '/dns4/relay.example.org/tcp/443/tls/ws',
  `/dns4/relay.example.org/tcp/443/wss/p2p/${peer}/p2p-circuit`,
]

describe('134 address injection', () => {
  it('134 learned private, loopback, link-local, reserved and unprotected name addresses are not dialled', () => {
    const gate = new AddressGate()
    for (const address of inside) expect(gate.allows(multiaddr(address)), address).to.equal(false)
    for (const address of outside) expect(gate.allows(multiaddr(address)), address).to.equal(true)
  })

  it('134 an address the person, a bundle or mDNS gave is dialled, and only its host and port', () => {
    const gate = new AddressGate()
    gate.permit(multiaddr(`/ip4/192.168.1.7/tcp/4001/p2p/${peer}`))
    for (const same of [
      '/ip4/192.168.1.7/tcp/4001',
      '/ip4/192.168.1.7/tcp/4001/ws',
      `/ip4/192.168.1.7/tcp/4001/p2p/${peer}/p2p-circuit`,
    ]) {
      expect(gate.allows(multiaddr(same)), same).to.equal(true)
    }
    for (const other of [
      '/ip4/192.168.1.7/tcp/22',
      '/ip4/192.168.1.8/tcp/4001',
      '/ip4/192.168.1.7/udp/4001',
    ]) {
      expect(gate.allows(multiaddr(other)), other).to.equal(false)
    }
  })

  it('134 a page that did not come from loopback dials no loopback, whoever gives it', () => {
    const gate = new AddressGate({ loopback: false })
    for (const address of [
      '/ip4/127.0.0.1/tcp/80/ws',
      '/ip6/::1/tcp/80/ws',
      '/ip6/::ffff:127.0.0.1/tcp/80/ws',
      '/dns4/localhost/tcp/80/ws',
      '/dns4/app.localhost/tcp/80/ws',
    ]) {
      gate.permit(multiaddr(address))
      expect(gate.allows(multiaddr(address)), address).to.equal(false)
    }
    gate.permit(multiaddr('/ip4/192.168.1.7/tcp/80/ws'))
    expect(gate.allows(multiaddr('/ip4/192.168.1.7/tcp/80/ws'))).to.equal(true)
  })

  it('134 very many given addresses push the oldest out, not the memory', () => {
    const gate = new AddressGate()
    const at = (n: number) =>
      multiaddr(`/ip4/10.${String(n >> 16)}.${String((n >> 8) & 255)}.${String(n & 255)}/tcp/1`)
    for (let n = 0; n < 5_000; n += 1) gate.permit(at(n))
    expect(gate.allows(at(0))).to.equal(false)
    expect(gate.allows(at(4_999))).to.equal(true)
  })

  it('134 what identify told is not dialled when nobody gave it', async () => {
    const [a, b] = [
      await startNode({ bounds: { dialMs: 1_000 } }),
      await startNode({ protocols: [testProtocol] }),
    ]
    try {
      // B dials A; identify tells A the loopback address of B.
      const identified = new Promise((resolve) =>
        a.node.addEventListener('peer:identify', resolve, { once: true }),
      )
      await b.network.attach((await a.network.addresses())[0]!)
      await identified
      const known = await a.node.peerStore.get(b.node.peerId)
      expect(known.addresses).to.have.length(1)
      const gone = new Promise((resolve) =>
        a.node.addEventListener('peer:disconnect', resolve, { once: true }),
      )
      await b.network.detach((await a.network.addresses())[0]!)
      await gone
      expect(await codeOf(a.network.open(b.node.peerId.toString(), [], testProtocol))).to.equal(
        'E_NET_REFUSED',
      )
      const given = await a.network.open(b.node.peerId.toString(), await b.network.addresses(), testProtocol)
      expect(given.route).to.equal('direct')
    } finally {
      await Promise.all([a.network.stop(), b.network.stop()])
    }
  })

  it('134 a tab says so when every given address is refused', async () => {
    const [a, b] = [
      await startNode({ gate: new AddressGate({ loopback: false }) }),
      await startNode({ protocols: [testProtocol] }),
    ]
    try {
      const attempt = a.network.open(await b.network.peerId(), await b.network.addresses(), testProtocol)
      expect(await codeOf(attempt)).to.equal('E_NET_REFUSED')
    } finally {
      await Promise.all([a.network.stop(), b.network.stop()])
    }
  })
})

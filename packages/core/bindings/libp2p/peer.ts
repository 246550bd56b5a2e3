import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Route } from '../../src/ports/index.ts'
import { readAddress } from './gate.ts'

/** Reads a PeerId; undefined when it is none or not an Ed25519 key. */
export function readPeer(text: string): PeerId | undefined {
  try {
    const peer = peerIdFromString(text)
    return peer.type === 'Ed25519' ? peer : undefined
  } catch {
    return undefined
  }
}

/** The peer an address ends at, if it says. */
export function peerOf(address: Multiaddr): PeerId | undefined {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' && last.value !== undefined ? readPeer(last.value) : undefined
}

/** How an address reaches its peer. */
export type AddressKind = 'direct' | 'webrtc' | 'circuit'

/** Sorts an address by the way it goes; WebRTC is signalled through a circuit and direct afterwards. */
export function kindOf(address: Multiaddr): AddressKind {
  const names = address.getComponents().map((component) => component.name)
  if (names.includes('webrtc')) return 'webrtc'
  return names.includes('p2p-circuit') ? 'circuit' : 'direct'
}

/** The readable ones of these addresses that lead to the peer, each ending in its id. */
export function addressesOf(peer: PeerId, addresses: readonly string[]): Multiaddr[] {
  const found: Multiaddr[] = []
  for (const text of addresses) {
    const address = readAddress(text)
    if (address === undefined) continue
    const end = address.getComponents().at(-1)
    if (end?.name !== 'p2p') found.push(address.encapsulate(`/p2p/${peer.toString()}`))
    else if (end.value === peer.toString()) found.push(address)
  }
  return found
}

/** The route of a connection. A circuit is relayed even where its relay sets no limits. */
export function routeOf(connection: Connection): Route {
  const overCircuit = kindOf(connection.remoteAddr) === 'circuit'
  return overCircuit || connection.limits !== undefined ? 'relayed' : 'direct'
}

/** The open connection to prefer, direct before relayed. */
export function bestOf(connections: readonly Connection[]): Connection | undefined {
  const open = connections.filter((connection) => connection.status === 'open')
  return open.find((connection) => routeOf(connection) === 'direct') ?? open[0]
}

import { encodeFrame, FrameReader } from '../../../packages/core/bindings/libp2p/frames.ts'
import { AddressGate, readAddress } from '../../../packages/core/bindings/libp2p/gate.ts'
import { readPeer } from '../../../packages/core/bindings/libp2p/peer.ts'
import { concat } from '../../../packages/core/src/wire/index.ts'
import { bytesOfText, sameBytes, textOfBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const peer = '12D3KooWJAHvQzSoHJ6KwgoHxwwwnuYDvBnFcZQZrfLHNA6Xs1HG'
const addresses = [
  `/ip4/192.168.1.20/tcp/4001/p2p/${peer}`,
  `/dns4/relay.example.org/tcp/443/tls/ws/p2p/${peer}/p2p-circuit`,
  '/ip6/::ffff:127.0.0.1/udp/4001/webrtc-direct/certhash/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g',
]
const gate = new AddressGate()
const maxBytes = 4_096

export const targets: readonly FuzzTarget[] = [
  {
    name: 'libp2p/length prefix',
    seeds: [
      encodeFrame(new Uint8Array(200).fill(7)),
      concat(encodeFrame(Uint8Array.of(1)), encodeFrame(new Uint8Array(40))),
    ],
    run: (input) => {
      // In one piece and byte by byte, a stream says the same.
      const [whole, pieces] = [new FrameReader(maxBytes), new FrameReader(maxBytes)]
      const first = whole.push(input)
      const parts = Array.from(input, (byte) => pieces.push(Uint8Array.of(byte)))
      sameBytes(concat(...parts.flatMap(({ frames }) => frames)), concat(...first.frames))
      if (first.fault === undefined && !whole.partial)
        return sameBytes(concat(...first.frames.map(encodeFrame)), input)
      if (first.frames.some(({ length }) => length > maxBytes)) throw new Error('a frame beyond its limit')
      return false
    },
  },
  {
    name: 'libp2p/address gate',
    seeds: addresses.map(bytesOfText),
    weight: 2,
    run: (input) => {
      const address = readAddress(textOfBytes(input))
      if (address === undefined) return false
      gate.allows(address)
      gate.permit(address)
      return true
    },
  },
  {
    name: 'libp2p/peer id',
    seeds: [bytesOfText(peer)],
    weight: 2,
    run: (input) => readPeer(textOfBytes(input)) !== undefined,
  },
]

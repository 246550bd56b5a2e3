/** The page's half of the network: libp2p with WebRTC, loaded once somebody has an account. */
import { directProtocol, inviteProtocol, linkProtocol } from '@sotto/core'
import { nobleProvider } from '@sotto/core/crypto'
import { createValidator } from '@sotto/core/discovery'
import { AddressGate, createLibp2pNetwork, tabLibp2pOptions } from '@sotto/core/libp2p'
import type { Network } from '@sotto/core/ports'
import { createLibp2p } from 'libp2p'

/** Starts libp2p under the transport seed (32 bytes, wiped here). `loopback`: whether the page came from there. */
export async function openNetwork(seed: Uint8Array, loopback: boolean): Promise<Network> {
  const provider = nobleProvider()
  const gate = new AddressGate({ loopback })
  const options = await tabLibp2pOptions({
    seed,
    publicKey: provider.signKeyPair(seed.slice()).publicKey,
    gate,
    records: createValidator(provider, () => Date.now()),
    sha256: (bytes) => provider.sha256(bytes),
  })
  seed.fill(0)
  const node = await createLibp2p({ ...options, start: false })
  const network = createLibp2pNetwork(node, {
    protocols: [directProtocol, inviteProtocol, linkProtocol],
    gate,
  })
  await node.start()
  return network
}

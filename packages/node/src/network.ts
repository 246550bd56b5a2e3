import { directProtocol, inviteProtocol, linkProtocol } from '@sotto/core'
import type { CryptoProvider, Secret } from '@sotto/core/crypto'
import { createValidator } from '@sotto/core/discovery'
import { AddressGate, createLibp2pNetwork, nodeLibp2pOptions } from '@sotto/core/libp2p'
import type { Clock, Log, Network } from '@sotto/core/ports'
import { createLibp2p } from 'libp2p'
import { readPorts, rememberPorts, withKnownPorts } from './home/listen-ports.ts'
import type { NetworkOptions } from './node-handle.ts'

/** What a node's network is made of. */
export interface OpenNetworkOptions {
  readonly transportSeed: Secret
  readonly crypto: CryptoProvider
  readonly clock: Clock
  readonly log: Log
  readonly network: NetworkOptions
  readonly portsFile: string
}

/** A libp2p node under the transport key, listening where it listened before when those ports are free. */
export async function openNetwork(options: OpenNetworkOptions): Promise<Network> {
  const { crypto, clock, log, network, portsFile } = options
  const seed = options.transportSeed.expose().slice()
  const gate = new AddressGate()
  const recipe = await nodeLibp2pOptions({
    seed,
    publicKey: crypto.signKeyPair(seed.slice()).publicKey,
    gate,
    records: createValidator(crypto, () => clock.nowMs()),
    sha256: (bytes) => crypto.sha256(bytes),
    listen: await withKnownPorts(network.listen, readPorts(portsFile)),
    mdns: network.mdns,
  })
  const node = await createLibp2p({ ...recipe, start: false })
  const port = createLibp2pNetwork(node, {
    protocols: [directProtocol, inviteProtocol, linkProtocol],
    gate,
    log,
    monotonicMs: () => clock.monotonicMs(),
  })
  await node.start()
  rememberPorts(portsFile, network.listen, await port.addresses())
  return port
}

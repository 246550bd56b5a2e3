import type { Network } from '@sotto/core/ports'
import { directProtocol } from '../../packages/core/src/device/protocols.ts'
import { portOver } from './port-over.ts'

/** A network on which no device can be dialled for talking: whatever is said lies at a relay first. */
export const undialled = (network: Network): Network =>
  portOver(network, {
    open: (peer, addresses, protocol) =>
      protocol === directProtocol
        ? Promise.reject(new Error('nobody answers'))
        : network.open(peer, addresses, protocol),
  })

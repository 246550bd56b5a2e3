import { networkCompliance } from '../../support/network-compliance.ts'
import { libp2pWorld } from '../../support/libp2p-world.ts'

networkCompliance('libp2p over loopback TCP', libp2pWorld)

import { libp2pWorld } from '../../support/libp2p-world.ts'
import { memoryWorld } from '../../support/memory-world.ts'
import { networkCompliance } from '../../support/network-compliance.ts'
import { portWorld } from '../../support/port-world.ts'

networkCompliance('in memory, behind a message port', async () => portWorld(await memoryWorld()))
networkCompliance('libp2p, behind a message port', async () => portWorld(await libp2pWorld()))

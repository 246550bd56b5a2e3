import { directProtocol, inviteProtocol, limits, linkProtocol } from '@sotto/core'
import { mailboxProtocol } from '@sotto/core/mailbox'
import { seededRandom } from '@sotto/core/memory'
import type { Random } from '@sotto/core/ports'
import { peerIdOf } from '../../packages/core/src/identity/index.ts'
import type { Stage } from '../scenarios/stage.ts'
import { Node } from '../world/node.ts'
import type { Stream } from '../world/stream.ts'
import type { World } from '../world/world.ts'

/** Frames on one channel: more than anybody has to take of a stranger. */
const framesEach = limits.strangeFrames + 8
/** How long a channel may stay open after its frames have come. */
const patienceMs = 2 * 60_000
/** Most frames are short; a few are as long as frames can be. */
const shortBytes = 600

/** What it has opened and not seen closed. */
interface Opened {
  readonly to: string
  readonly protocol: string
  /** When all its frames had been written. */
  fullMs: number
}

/** Somebody nobody knows, under a name of their own, who opens all the channels there can be and says nothing sensible. */
export class Spammer {
  readonly #world: World
  readonly #random: Random
  readonly #node: Node
  readonly #open = new Map<number, Opened>()

  constructor(world: World, name: string) {
    this.#world = world
    this.#random = seededRandom(world.crypto, `${world.seed}/crypto/${name}`)
    const peer = peerIdOf(world.crypto.signKeyPair(this.#random.bytes(32)).publicKey)
    const address = `/memory/${name}/p2p/${peer}`
    this.#node = new Node(world.air, {
      host: name,
      peer,
      address,
      protocols: [],
      validate: () => true,
      dialable: true,
    })
    this.#node.listen((event) => {
      if (event.type !== 'closed') return
      if (this.#open.delete(event.channel)) world.faults.strike('spam-cut-off')
    })
  }

  /** Floods somebody who is there over as many channels as there can be, and more. */
  async flood(draw: Stream): Promise<void> {
    const others = this.#world.air.nodes().filter(({ host }) => !host.startsWith('spammer'))
    if (others.length === 0) return
    const target = draw.pick(others)
    const protocol = target.host.startsWith('relay')
      ? mailboxProtocol
      : draw.pick([directProtocol, directProtocol, inviteProtocol, linkProtocol])
    await Promise.all(
      Array.from({ length: limits.channelsPerPeer + 4 }, () => this.#floodOne(draw, target, protocol)),
    )
  }

  async #floodOne(draw: Stream, target: Node, protocol: string): Promise<void> {
    const { faults, timeline } = this.#world
    try {
      const { channel } = await this.#node.open(target.peer, [target.address], protocol)
      const opened = { to: target.host, protocol, fullMs: Infinity }
      this.#open.set(channel, opened)
      faults.strike('spam-channel')
      for (let n = 0; n < framesEach; n++) {
        await timeline.pause(draw.between(1, 20))
        const longest = draw.chance(0.01) ? limits.streamFrameBytes : shortBytes
        await this.#node.write(channel, this.#random.bytes(1 + draw.below(longest)))
        faults.strike('spam-frame')
      }
      opened.fullMs = timeline.nowMs
    } catch {
      faults.strike('spam-refused')
    }
  }

  /** Who went on listening to it, on a channel on which they need not. */
  patient(): readonly Opened[] {
    const { nowMs } = this.#world.timeline
    return [...this.#open.values()].filter(
      ({ protocol, fullMs }) => protocol === directProtocol && fullMs + patienceMs < nowMs,
    )
  }
}

/** Spammers who flood somebody again and again while the stage is open. */
export function beginSpam(stage: Stage, draw: Stream, spammers: readonly Spammer[]): void {
  stage.repeat(draw, stage.lastsMs / 12, () => {
    for (const spammer of spammers) void spammer.flood(draw)
  })
}

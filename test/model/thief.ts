/** What a copy of a device opens, and how its sessions heal. The copy stays as it was: the thief only listens. */
import { skippedKey } from '../../packages/core/src/group/skipped-generations.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'
import { readName, type Local } from './device.ts'
import { copyOpens } from './ratchet.ts'
import type { Sent, State, Tables } from './tables.ts'

export class Thief {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** Stages at the moment of the copy. */
  firstStages(state: State, device: number): readonly number[] {
    return state.locals.map((_, peer) =>
      state.parcels.some((id) => this.#isFrame(id, device, peer)) ? 0 : 1,
    )
  }

  #isFrame(id: number, from: number, to: number): boolean {
    const { to: receiver, item } = this.#tables.parcels[id]!
    return (item.kind === 'seed' || item.kind === 'ack') && item.from === from && receiver === to
  }

  /** Envelopes a copy opens although its device had opened them. */
  erasedYetOpen(copy: Local): readonly string[] {
    const open = copy.read.map(readName).filter(({ epoch, index, generation }) => {
      if (this.#hasSeed(copy, epoch)) return true
      const chain = copy.epochs.keys.get(epoch)?.chains[index]
      if (chain === undefined) return false
      // By the key that is really there: any chain key up to the generation's own leads to it.
      const author = copy.epochs.nodes.get(epoch)!.recipients[index]!
      const at = this.#tables.universe.chainKeys(epoch, author).indexOf(toHex(chain.key.expose()))
      return (at >= 0 && at <= generation) || skippedKey(chain.skipped, generation) !== undefined
    })
    return open.length === 0 ? [] : ['a copy opens what its device had opened and erased']
  }

  /** Whether a copy gives the secret of an epoch, ever: from a frame of the device or to it, before or after. */
  #hasSeed(copy: Local, epoch: string): boolean {
    const { author, frames } = this.#tables.universe.epochs.get(epoch)!
    const stale = this.#tables.universe.scene.fault === 'stale-ratchet'
    if (copy.epochs.pending.some((seed) => toHex(seed.epoch) === epoch)) return true
    return frames.some(({ to, place }) => {
      if (author === copy.index) return copyOpens(copy.ends[to]!, true, place, stale)
      return to === copy.index && copyOpens(copy.ends[author]!, false, place, stale)
    })
  }

  /** An epoch begun after a copy, all of whose seeds meet the copied device on healed sessions, is closed to it. */
  judgeHealing(
    stolen: NonNullable<State['stolen']>,
    healing: readonly number[],
    epoch: string,
  ): readonly string[] {
    const { author, frames } = this.#tables.universe.epochs.get(epoch)!
    const clean = frames.every(({ to }) =>
      author === stolen.device ? healing[to]! >= 3 : to !== stolen.device || healing[author]! >= 4,
    )
    const open = this.#hasSeed(this.#tables.locals[stolen.local]!, epoch)
    if (open) this.#tables.see('epochs read by a thief after the copy')
    else if (clean) this.#tables.see('epochs closed to a thief by healing')
    return clean && open ? ['a copy opens an epoch begun after its sessions had healed'] : []
  }

  /**
   * Parcels with what was sent. The session of a copied device with another heals in four stages: 1 the other has
   * everything sent before the copy; 2 it sends; 3 the device has that; 4 the other has what was sent after that.
   */
  posted(
    state: State,
    device: number,
    sent: Sent,
    before: readonly number[],
  ): { readonly parcels: readonly number[]; readonly healing: readonly number[] } {
    if (sent.length === 0) return { parcels: before, healing: state.healing }
    const { stolen } = state
    let healing = state.healing
    const parcels = [...before]
    for (const { to, item } of sent) {
      let stamp = 0
      if (stolen !== undefined && (item.kind === 'seed' || item.kind === 'ack')) {
        const peer = stolen.device === device ? to : stolen.device === to ? device : undefined
        if (peer !== undefined) {
          if (peer === device && healing[peer] === 1) healing = healing.with(peer, 2)
          stamp = 1 + healing[peer]!
        }
      }
      parcels.push(this.#tables.parcelOf({ to, item, stamp }))
    }
    return { parcels: parcels.sort((a, b) => a - b), healing }
  }

  /** Stages 3 and 4: a frame that left at the right stage has come. */
  heard({ stolen, healing }: State, taken: number): readonly number[] {
    const { to, item, stamp } = this.#tables.parcels[taken]!
    if (stolen === undefined || (item.kind !== 'seed' && item.kind !== 'ack')) return healing
    if (to === stolen.device && stamp >= 3 && healing[item.from] === 2) return healing.with(item.from, 3)
    if (item.from === stolen.device && stamp >= 4 && healing[to] === 3) return healing.with(to, 4)
    return healing
  }

  /** Stage 1. */
  arrived(state: State, device: number): readonly number[] {
    return state.healing.map((stage, peer) =>
      stage === 0 &&
      !state.parcels.some((id) => this.#tables.parcels[id]!.stamp === 0 && this.#isFrame(id, device, peer))
        ? 1
        : stage,
    )
  }
}

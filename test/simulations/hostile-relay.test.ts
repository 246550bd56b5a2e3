import { expect } from 'chai'
import type { MailboxItem, MailboxWrite } from '@sotto/core/ports'
import { missingDrills } from '../../simulations/scenarios/drills.ts'
import { catalogue } from '../../simulations/scenarios/catalogue.ts'
import { relayLogsTooMuch } from '../../simulations/scenarios/relay-logs-too-much.ts'
import type { Stage } from '../../simulations/scenarios/stage.ts'
import { wrongGroupMember } from '../../simulations/scenarios/wrong-group-member.ts'
import { RelayDisk } from '../../simulations/world/relay-disk.ts'
import { streamOf } from '../../simulations/world/stream.ts'
import { Timeline } from '../../simulations/world/timeline.ts'
import { itemsUnder, writesUnder } from '../../simulations/world/relay-tricks.ts'

const byte = (n: number): Uint8Array => Uint8Array.of(n)
const items = Array.from({ length: 40 }, (_, n): MailboxItem => ({
  cursor: n + 1,
  blob: byte(n),
  expiresAtMs: 9,
}))
const append: MailboxWrite = {
  type: 'append',
  recvId: byte(1),
  blob: byte(2),
  blobHash: byte(3),
  expiresAtMs: 9,
}
const ack: MailboxWrite = { type: 'ack', recvId: byte(1), upTo: 5 }
const shown = (trick: Parameters<typeof itemsUnder>[0]): readonly MailboxItem[] =>
  itemsUnder(trick, streamOf('tricks'), byte(1), items)
const blobs = (of: readonly MailboxItem[]): readonly number[] => of.map(({ blob }) => blob[0] ?? -1)

describe('relays that mean ill', () => {
  it('do each what its name says, and an honest one nothing', () => {
    expect(shown(undefined)).to.equal(items)
    expect(shown('relay-repeats').length).to.be.above(items.length)
    expect(new Set(blobs(shown('relay-repeats'))).size).to.equal(items.length)
    expect(blobs(shown('relay-shuffles'))).not.to.deep.equal(blobs(items))
    expect(blobs(shown('relay-shuffles')).toSorted((a, b) => a - b)).to.deep.equal(blobs(items))
    expect(shown('relay-withholds').length).to.be.below(items.length)
    expect(shown('relay-lies').map(({ cursor }) => cursor)).not.to.deep.equal(
      items.map(({ cursor }) => cursor),
    )
    const many = Array.from({ length: 40 }, () => [append, ack]).flat()
    const kept = (trick: Parameters<typeof writesUnder>[0], type: MailboxWrite['type']): number =>
      writesUnder(trick, streamOf('tricks'), many).filter((write) => write.type === type).length
    expect([kept(undefined, 'append'), kept(undefined, 'ack')]).to.deep.equal([40, 40])
    expect(kept('relay-drops', 'append')).to.be.within(1, 39)
    expect([
      kept('relay-drops', 'ack'),
      kept('relay-keeps', 'ack'),
      kept('relay-keeps', 'append'),
    ]).to.deep.equal([40, 0, 40])
  })

  it('come back with the disk of before, whatever came between', async () => {
    const disk = new RelayDisk(new Timeline(), streamOf('disk'), () => undefined)
    const queue = {
      kind: 'inbox',
      sendId: byte(4),
      readKey: byte(5),
      writeKey: byte(6),
      ttlMs: 9,
      createdAtMs: 0,
    } as const
    await disk.rows.commit([{ type: 'create', queue: { ...queue, recvId: byte(1) } }, append])
    const putBack = disk.remember()
    await disk.rows.commit([{ ...append, blobHash: byte(7) }, ack])
    expect(await disk.rows.page(byte(1), 0, 9)).to.have.length(0)
    putBack()
    expect(await disk.rows.page(byte(1), 0, 9)).to.deep.equal([{ cursor: 1, blob: byte(2), expiresAtMs: 9 }])
    expect(await disk.rows.holds(byte(1), byte(7))).to.equal(false)
  })
})

/** A stage of nothing but what a verdict looks at, and what it found. */
function verdictOn(parts: object): { readonly stage: Stage; readonly found: readonly string[] } {
  const found: string[] = []
  const ledger = {
    violate: (law: string) => found.push(law),
    ...('ledger' in parts ? (parts.ledger as object) : {}),
  }
  return { stage: { ...parts, world: { ledger } } as unknown as Stage, found }
}

describe('drills', () => {
  it('find a key that stands for two queues', async () => {
    const queues = (...keys: readonly number[]) =>
      keys.map((key, n) => ({ recvId: byte(100 + n), names: [byte(key)] }))
    const apart = verdictOn({
      relays: [
        { name: 'a', queues: queues(1, 2) },
        { name: 'b', queues: queues(3) },
      ],
    })
    await relayLogsTooMuch.judge?.(apart.stage)
    expect(apart.found).to.deep.equal([])
    const shared = verdictOn({
      relays: [
        { name: 'a', queues: queues(1, 2) },
        { name: 'b', queues: queues(2) },
      ],
    })
    await relayLogsTooMuch.judge?.(shared.stage)
    expect(shared.found).to.deep.equal(['unlinked-queues'])
  })

  it('find a newcomer who reads what was written before', async () => {
    const judged = async (saidAtMs: number): Promise<readonly string[]> => {
      const room = { group: true, firstIn: () => 50 }
      const ledger = { rooms: new Map([['g', room]]), original: () => ({ marker: 'm', atMs: saidAtMs }) }
      const device = { view: async () => [{ conversationId: 'g' }] }
      const machine = { name: 'wrong-1', device, history: async () => ({ messages: [{ messageId: 'm' }] }) }
      const { stage, found } = verdictOn({ ledger, everything: () => [machine] })
      await wrongGroupMember.judge?.(stage)
      return found
    }
    expect(await judged(60)).to.deep.equal([])
    expect(await judged(40)).to.deep.equal(['newcomer-blind'])
  })

  it('of a feature that is not there are no scenario: they are not run, and never passed', () => {
    expect(missingDrills.map(({ name }) => name)).to.deep.equal(['plaintext-backup', 'push-preview'])
    for (const { name } of missingDrills) expect(catalogue.some((one) => one.name === name)).to.equal(false)
  })
})

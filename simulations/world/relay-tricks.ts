import type { MailboxItem, MailboxWrite } from '@sotto/core/ports'
import type { Stream } from './stream.ts'

/** What a relay that means ill does to what it is trusted with, for a while. */
export const relayTricks = [
  'relay-drops',
  'relay-repeats',
  'relay-shuffles',
  'relay-withholds',
  'relay-lies',
  'relay-keeps',
] as const

/** What it does besides in a scenario of its own. */
export type RelayTrick = (typeof relayTricks)[number] | 'relay-splits'

/** What it writes down of what it says it has: half of the mail is thrown away, or what was collected is kept. */
export function writesUnder(
  trick: RelayTrick | undefined,
  draw: Stream,
  writes: readonly MailboxWrite[],
): readonly MailboxWrite[] {
  if (trick === 'relay-drops') return writes.filter(({ type }) => type !== 'append' || draw.chance(0.5))
  if (trick === 'relay-keeps') return writes.filter(({ type }) => type !== 'ack')
  return writes
}

/**
 * What it shows of what it has: twice, in another order, only some of it, under cursors of its own, or to each reader
 * another half, always the same.
 */
export function itemsUnder(
  trick: RelayTrick | undefined,
  draw: Stream,
  recvId: Uint8Array,
  items: readonly MailboxItem[],
): readonly MailboxItem[] {
  switch (trick) {
    case 'relay-repeats':
      return items.flatMap((item) => (draw.chance(0.5) ? [item, item] : [item]))
    case 'relay-shuffles':
      return shuffled(draw, items)
    case 'relay-withholds':
      return items.filter(() => draw.chance(0.5))
    case 'relay-lies':
      return items.map((item) => ({ ...item, cursor: item.cursor + draw.below(50) }))
    case 'relay-splits':
      return items.filter(({ blob }) => isOnThisSide(recvId, blob))
    case 'relay-drops':
    case 'relay-keeps':
    case undefined:
      return items
  }
}

/** Whether the reader of a queue is ever shown an item: of what was left in several, each sees something else. */
const isOnThisSide = (recvId: Uint8Array, blob: Uint8Array): boolean =>
  [...recvId, ...blob].reduce((sum, byte) => sum + byte, 0) % 2 === 0

function shuffled(draw: Stream, items: readonly MailboxItem[]): readonly MailboxItem[] {
  const placed = items.map((item) => ({ item, place: draw.fraction() }))
  return placed.sort((a, b) => a.place - b.place).map(({ item }) => item)
}

/** Segment documents and sync: folding, sealing, opening, catching up. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  answerSync,
  askSync,
  decodeRuns,
  encodeRuns,
  growSegment,
  initCrdt,
  linksHeld,
  openSegment,
  recordsOfRuns,
  sealSegment,
  SegmentDocument,
  summarise,
  type CountedRecord,
  type SyncSide,
} from '../../../packages/core/src/history/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import {
  arrivalOf,
  crypto,
  drawFrom,
  emptyFor,
  membersOnly,
  randomSegment,
  writer,
} from '../../core/history/segment-world.ts'
import type { MakeRows } from '../row.ts'

const fold = 100

export const rows: MakeRows = async () => {
  const wasm = createRequire(`${process.cwd()}/packages/core/package.json`).resolve(
    '@automerge/automerge/automerge.wasm',
  )
  const crdt = await initCrdt(readFileSync(wasm))
  const members = Array.from({ length: 20 }, (_, i) => writer(`member ${i}`))
  const authorOf = membersOnly(members)
  const records = randomSegment(drawFrom(1), { count: 500, members, forkOneIn: 0 })
  const empty = emptyFor(records[0]!)
  const { set } = growSegment(crypto, empty, 'a', records.map(arrivalOf), authorOf)
  const counted: readonly CountedRecord[] = [...set.counted.values()]
  const headers = records.map(({ header }) => header)
  const place = { conversation: set.conversation, segment: set.segment }
  const file = sealSegment(crdt, crypto, place, counted)
  if (file === undefined) throw new Error('the segment was not sealed')
  const side = (summaries: SyncSide['summaries']): SyncSide => ({
    conversation: set.conversation,
    summaries,
    visible: () => true,
    records: () => counted,
  })
  const full = side([summarise(crypto, set.segment, 0, counted)])
  const nonce = new Uint8Array(8)
  const each = (run: () => unknown) => () => (times: number) => {
    for (let i = 0; i < times; i++) run()
  }
  const catchUp = (): number => {
    const ask = askSync(crypto, side([]), nonce, { kind: 'from', depth: 0 })
    const frames = answerSync(crypto, full, ask).sendings.flatMap((one) => encodeRuns(set.conversation, one))
    let held = empty
    for (const bytes of frames) {
      const decoded = decodeRuns(bytes)
      if (decoded === undefined) throw new Error('our own frame does not decode')
      const { arrivals } = recordsOfRuns(crypto, decoded, linksHeld(held, 'a'))
      held = growSegment(crypto, held, 'a', arrivals, authorOf).set
    }
    return held.counted.size
  }
  if (catchUp() !== 500) throw new Error(`a record was lost of ${toHex(set.segment)}`)
  const foldAll = (): void => {
    const document = new SegmentDocument(crdt, crypto, set.segment)
    for (let at = 0; at < headers.length; at += fold) document.fold(headers.slice(at, at + fold))
    document.free()
  }
  return [
    {
      kind: 'time',
      title: 'a segment of 500 records by 20 devices',
      contenders: [
        { name: 'folded in batches of 100', prepare: each(foldAll) },
        { name: 'sealed and read back', prepare: each(() => sealSegment(crdt, crypto, place, counted)) },
        {
          name: 'opened, every record written again',
          prepare: each(() => openSegment(crdt, crypto, place, file, authorOf)),
        },
        { name: 'synced to who has none, both ends', prepare: each(catchUp) },
      ],
    },
    {
      kind: 'bytes',
      title: 'a sealed record, of 500 by 20 devices',
      sizes: () => [{ name: 'Sotto', bytes: file.length / records.length }],
      target: 60,
    },
  ]
}

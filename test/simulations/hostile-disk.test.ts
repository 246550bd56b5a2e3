import { expect } from 'chai'
import { utf8 } from '@sotto/core/wire'
import type { Sealing } from '../../simulations/laws/recorder.ts'
import { isExcused, judgeSetBacks } from '../../simulations/laws/set-backs.ts'
import type { SetBack } from '../../simulations/laws/watched.ts'
import type { Stage } from '../../simulations/scenarios/stage.ts'
import { Disk } from '../../simulations/world/disk.ts'
import { streamOf } from '../../simulations/world/stream.ts'
import { Timeline } from '../../simulations/world/timeline.ts'
import { Counts } from '../../simulations/world/trace.ts'

const everything = { gte: Uint8Array.of(), lt: new Uint8Array(64).fill(255) }

/** A disk with rows on it, and what is on it when it is opened anew. */
async function filled() {
  const timeline = new Timeline()
  const faults = new Counts([])
  const disk = new Disk(timeline, streamOf('disk'), faults)
  const opened = () => disk.open(() => undefined)
  const write = async (key: string, value: string, mark: string): Promise<void> => {
    const store = await opened()
    const op = { type: 'put', key: utf8(key), value: utf8(value) } as const
    await timeline.until(store.batch([op], { durable: true }), 60_000)
    await timeline.until(store.writeMark(utf8(mark)), 60_000)
  }
  const found = async () => {
    const store = await opened()
    const rows = (await store.range(everything)).map(({ key, value }) => [key.join(), value.join()] as const)
    return { rows: new Map(rows), mark: (await store.readMark())?.join() }
  }
  for (const key of ['a', 'b', 'c']) await write(key, `${key} before`, 'before')
  return { disk, faults, write, found }
}

describe('a disk', () => {
  it('rots: of one row one bit differs, in all the others none', async () => {
    const { disk, faults, found } = await filled()
    const before = (await found()).rows
    for (let n = 1; n <= 8; n++) {
      await disk.rot(1)
      expect(faults.toJSON()).to.include({ 'disk-rot': n })
    }
    const after = (await found()).rows
    expect(disk.rotten).to.equal(true)
    expect(after.size).to.equal(before.size)
    const same = [...before].filter(([key, value]) => after.get(key) === value)
    expect(same.length).to.be.below(before.size)
  })

  for (const [what, withMark, kind] of [
    ['alone', false, 'disk-older'],
    ['with the mark beside it', true, 'disk-older-whole'],
  ] as const)
    it(`is set back to a copy, ${what}`, async () => {
      const { disk, faults, write, found } = await filled()
      const before = await found()
      const copy = await disk.image()
      await write('a', 'after', 'after')
      await write('d', 'new', 'after')
      await disk.putBack(copy, withMark)
      const after = await found()
      expect(after.rows).to.deep.equal(before.rows)
      expect(after.mark).to.equal(utf8(withMark ? 'before' : 'after').join())
      expect(faults.toJSON()).to.deep.include({ [kind]: 1 })
    })
})

const setBack = (toldMs: number | undefined): SetBack => ({ fromMs: 10, atMs: 20, toldMs })
const sealing = (by: string, atMs: number): Sealing => ({ by, atMs, plaintext: '', sealed: Uint8Array.of() })

describe('the law of keys', () => {
  const excused = (toldMs: number | undefined, first: Sealing, again: Sealing): boolean =>
    isExcused(
      [
        { name: 'a', home: 'a', setBack: setBack(toldMs) },
        { name: 'a-copy', home: 'a', setBack: undefined },
        { name: 'b', home: 'b', setBack: undefined },
      ],
      first,
      again,
    )

  it('excuses a machine that was set back and not told, and nothing else', () => {
    expect(excused(undefined, sealing('a', 15), sealing('a', 25))).to.equal(true)
    expect(excused(30, sealing('a', 15), sealing('a', 25)), 'told later').to.equal(true)
    expect(excused(22, sealing('a', 15), sealing('a', 25)), 'told before').to.equal(false)
    expect(excused(undefined, sealing('a', 12), sealing('a', 15)), 'before it was set back').to.equal(false)
    expect(excused(undefined, sealing('a', 22), sealing('a', 25)), 'both after it').to.equal(false)
    expect(excused(undefined, sealing('b', 15), sealing('a', 25)), 'of two machines').to.equal(false)
    expect(excused(undefined, sealing('b', 15), sealing('b', 25)), 'of one that was not').to.equal(false)
    expect(excused(undefined, sealing('a', 15), sealing('a-copy', 16)), 'by a copy of it').to.equal(true)
    expect(excused(undefined, sealing('a-copy', 15), sealing('a-copy', 25)), 'by the copy twice').to.equal(
      false,
    )
  })
})

describe('the law of older copies', () => {
  const judged = async (
    toldMs: number | undefined,
    atMs: number,
    holds: boolean,
  ): Promise<readonly string[]> => {
    const found: string[] = []
    const said = { machine: 'a', atMs, conversationId: 'c', messageId: 'm', marker: 'x' }
    const machine = {
      name: 'a',
      setBack: setBack(toldMs),
      history: async () => ({ messages: holds ? [{ messageId: 'm' }] : [] }),
    }
    const ledger = { accepted: () => [said], violate: (law: string) => found.push(law) }
    await judgeSetBacks({ world: { ledger }, machines: () => [machine] } as unknown as Stage)
    return found
  }

  it('is broken by a machine that got its own words back and was told nothing', async () => {
    expect(await judged(undefined, 15, true)).to.deep.equal(['set-back-named'])
    expect(await judged(25, 15, true), 'it was told').to.deep.equal([])
    expect(await judged(undefined, 15, false), 'it never got them').to.deep.equal([])
    expect(await judged(undefined, 5, true), 'its copy had them').to.deep.equal([])
    expect(await judged(undefined, 25, true), 'it said them afterwards').to.deep.equal([])
  })
})

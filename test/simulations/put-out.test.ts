import { expect } from 'chai'
import { Room } from '../../simulations/laws/rooms.ts'
import { SealRecorder } from '../../simulations/laws/recorder.ts'
import { encodeCbor, toHex } from '../../packages/core/src/wire/index.ts'
import { crypto } from '../core/identity/support.ts'

describe('simulations: under which epochs a text was sealed', () => {
  it('is known of what was sealed in an epoch, and of nothing else', () => {
    const recorder = new SealRecorder('prefix', 8)
    const wrapped = recorder.wrap(crypto)
    const [key, id, epoch] = [new Uint8Array(32), new Uint8Array(32).fill(1), new Uint8Array(32).fill(5)]
    const text = (marker: string) => Buffer.from(`said: ${marker} and more`)
    wrapped.seal(key, new Uint8Array(24).fill(1), text('prefix01'), encodeCbor([id, epoch, id, id, 7]))
    wrapped.seal(key, new Uint8Array(24).fill(2), text('prefix02'), new Uint8Array())
    expect(recorder.epochsOf('prefix01')).to.deep.equal([toHex(epoch)])
    expect(recorder.epochsOf('prefix02')).to.deep.equal([])
  })
})

describe('simulations: since when somebody is out of a group', () => {
  const clock = { nowMs: 120 }
  const roomOf = async (...moves: readonly { by: string; target: string; atMs: number }[]) => {
    const room = new Room('group', true, ['A', 'B', 'C'])
    for (const move of moves) await room.puttingOut({ ...move }, Promise.resolve(), clock)
    return room
  }

  it('is once a device has taken the removal', async () => {
    const room = await roomOf({ by: 'A', target: 'C', atMs: 100 })
    expect([110, 121].map((atMs) => room.isOutSince('C', atMs))).to.deep.equal([false, true])
    expect(room.isOutSince('B', 121)).to.equal(false)
  })

  it('is not where a device did not take it', async () => {
    const room = new Room('group', true, ['A', 'C'])
    await room
      .puttingOut({ by: 'A', target: 'C', atMs: 100 }, Promise.reject(new Error('full')), clock)
      .catch(() => undefined)
    expect(room.isOutSince('C', 500)).to.equal(false)
  })

  it('is not by leaving, which takes no word back, nor by whoever has left', async () => {
    const left = await roomOf({ by: 'C', target: 'C', atMs: 100 })
    expect(left.isOutSince('C', 500)).to.equal(false)
    const gone = await roomOf({ by: 'A', target: 'A', atMs: 90 }, { by: 'A', target: 'C', atMs: 100 })
    expect(gone.isOutSince('C', 500)).to.equal(false)
  })

  it('is not while somebody else may have put them out later, having read more of them', async () => {
    const room = await roomOf({ by: 'A', target: 'C', atMs: 100 }, { by: 'B', target: 'C', atMs: 400 })
    expect([300, 500].map((atMs) => room.isOutSince('C', atMs))).to.deep.equal([false, true])
  })

  it('is not for whoever was let in again, nor where the removal may be undone', async () => {
    const back = await roomOf({ by: 'A', target: 'C', atMs: 100 })
    back.adding('B', 'C', 300)
    expect(back.isOutSince('C', 500)).to.equal(false)
    const undone = await roomOf({ by: 'A', target: 'C', atMs: 100 }, { by: 'B', target: 'A', atMs: 110 })
    expect(undone.isOutSince('C', 500)).to.equal(false)
  })
})

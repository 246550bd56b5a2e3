import { expect } from 'chai'
import type { UsageError } from '../../../packages/core/src/errors.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { seededRandom } from '../../../packages/core/src/memory/index.ts'
import {
  adopt,
  established,
  openFrom,
  requestPqStep,
  sealEntropyBytes,
} from '../../../packages/core/src/session/index.ts'
import { sealIn } from '../../../packages/core/src/session/session.ts'
import {
  addSkippedKeys,
  forgetExpired,
  forgetOldest,
  holdsExpired,
  noSkippedKeys,
  skippedKeysFrom,
  takeSkippedKey,
} from '../../../packages/core/src/session/skipped-keys.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import {
  establishedPair,
  nodeProvider,
  startMs,
  textOf,
  twoEndpoints,
  type Endpoint,
} from '../../support/session-world.ts'

const keyOf = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const front = (end: Endpoint): string => toHex(end.peer.sessions[0]!.id)

/** The most bytes one frame of this end takes, found by trying on copies of its state. */
function roomOf(end: Endpoint): number {
  const fits = (length: number): boolean => {
    const before = end.snapshot()
    try {
      end.send(' '.repeat(length))
      return true
    } catch (error) {
      expect(error).to.include({ code: 'E_MESSAGE_TOO_LONG' })
      expect((error as UsageError).detail).to.include({ length })
      return false
    } finally {
      end.restore(before)
    }
  }
  let [low, high] = [0, limits.frameBytes]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

describe('session: the room of a frame', () => {
  it('is what its limit leaves, with the longest header and the handshake that may ride along', () => {
    const [alice, bob] = twoEndpoints()
    const sendFull = (room: number): number => {
      const frame = alice.send(' '.repeat(room))
      expect(textOf(bob.receive(frame))).to.have.length(room)
      return frame.length
    }
    alice.begin(bob.device)
    const first = roomOf(alice)
    expect(sendFull(first)).to.be.within(limits.frameBytes - 2_500, limits.frameBytes)
    alice.receive(bob.send('hello'))
    const later = roomOf(alice)
    expect(later - first).to.be.greaterThan(1_000)
    sendFull(later)
    alice.peer = requestPqStep(alice.peer)
    alice.send('an offer, lost')
    bob.peer = requestPqStep(bob.peer)
    alice.receive(bob.send('another'))
    // A header with an offer and an answer is the longest there is.
    expect(sendFull(later)).to.be.within(limits.frameBytes - 32, limits.frameBytes)
  })

  it('is not for a responder that has opened nothing', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    bob.receive(alice.send('first'))
    const [session] = bob.peer.sessions
    const unopened = { ...session!, ratchet: { ...session!.ratchet, peerKey: undefined, sending: undefined } }
    const entropy = seededRandom(nodeProvider, 'unopened').bytes(sealEntropyBytes)
    expect(() => sealIn(nodeProvider, unopened, new Uint8Array(1), entropy, startMs))
      .to.throw()
      .with.property('code', 'E_SESSION_UNOPENED')
  })
})

describe('session: an offer', () => {
  it('nobody answers rides again on every so many messages of its chain', () => {
    const [alice] = establishedPair()
    alice.peer = requestPqStep(alice.peer)
    const first = alice.peer.sessions[0]!.ratchet.sending?.count ?? 0
    const riding = Array.from({ length: 2 * limits.pqRepeatMessages + 1 }, (_, n) => ({
      number: first + n,
      large: alice.send(`${n}`).length > 1_184,
    })).flatMap(({ number, large }) => (large ? [number] : []))
    const repeats = [limits.pqRepeatMessages, 2 * limits.pqRepeatMessages]
    expect(riding).to.deep.equal([...new Set([first, ...repeats])])
  })

  it('asked for is asked for once, and nothing else of the state moves', () => {
    const [alice] = establishedPair()
    const before = alice.peer.sessions[0]!.ratchet.pq
    const asked = requestPqStep(alice.peer)
    expect(asked.sessions[0]!.ratchet.pq).to.deep.equal({ ...before, wanted: true })
    const none = { sessions: [], handshakeAtMs: 0 }
    expect(requestPqStep(none)).to.equal(none)
  })
})

describe('session: two of them at once', () => {
  /** Two ends that began at once, where this one's hash is the lower; it has not been answered. */
  function crossed(): { readonly low: Endpoint; readonly high: Endpoint } {
    for (let seed = 0; ; seed++) {
      const [alice, bob] = twoEndpoints(nodeProvider, `crossed ${seed}`)
      alice.begin(bob.device)
      bob.begin(alice.device)
      if (front(alice) < front(bob)) return { low: alice, high: bob }
    }
  }

  it('the lower hash stays in front; unanswered, only for a while', () => {
    const { low, high } = crossed()
    const own = front(low)
    textOf(low.receive(high.send('one')))
    expect(front(low)).to.equal(own)
    low.nowMs += limits.repairMs - 1
    textOf(low.receive(high.send('two')))
    expect(front(low)).to.equal(own)
    low.nowMs += 1
    textOf(low.receive(high.send('three')))
    expect(front(low)).to.equal(front(high))
    expect(low.peer.sessions).to.have.length(2)
  })

  it('answered, it stays for good, whatever still comes on the other', () => {
    const { low, high } = crossed()
    const own = front(low)
    const late = [high.send('one'), high.send('two')]
    textOf(high.receive(low.send('a')))
    textOf(low.receive(late[0]!))
    textOf(low.receive(high.send('b')))
    expect(front(high)).to.equal(own)
    low.nowMs += 10 * limits.repairMs
    textOf(low.receive(late[1]!))
    expect(front(low)).to.equal(own)
  })

  it('one that no other crossed is sent on as soon as it opens something', () => {
    const [alice, bob] = establishedPair()
    const before = bob.peer.sessions[0]!
    const old = alice.send('on the old one')
    alice.nowMs += limits.repairMs
    alice.begin(bob.device)
    textOf(bob.receive(alice.send('on the new one')))
    expect(front(bob)).to.not.equal(toHex(before.id))
    textOf(bob.receive(old))
    expect(front(bob)).to.equal(toHex(before.id))
    expect(adopt(bob.peer, bob.peer.sessions[1]!)).to.deep.equal(bob.peer)
  })

  it('is established by the first answer, and by nothing before', () => {
    const [alice, bob] = twoEndpoints()
    expect(established(alice.peer)).to.equal(false)
    alice.begin(bob.device)
    expect(established(alice.peer)).to.equal(false)
    bob.receive(alice.send('hello'))
    expect(established(bob.peer)).to.equal(true)
    alice.receive(bob.send('hello yourself'))
    expect(established(alice.peer)).to.equal(true)
  })

  it('says of a frame that is none, and of one of a session it does not have, what it is', () => {
    const [alice, bob] = establishedPair()
    const refused = (frame: Uint8Array): unknown => openFrom(nodeProvider, bob.peer, frame, startMs)
    expect(refused(new Uint8Array(10))).to.deep.equal({ ok: false, reason: 'malformed' })
    const [stranger, other] = establishedPair(nodeProvider, 'others')
    other.receive(stranger.send('x'))
    expect(refused(stranger.send('y'))).to.deep.equal({ ok: false, reason: 'no-header-key' })
    const [fresh] = twoEndpoints(nodeProvider, 'fresh')
    fresh.begin(bob.device)
    expect(refused(fresh.send('z'))).to.deep.equal({ ok: false, reason: 'handshake' })
    expect(textOf(bob.receive(alice.send('on')))).to.equal('on')
  })
})

describe('session: skipped keys', () => {
  const three = addSkippedKeys(noSkippedKeys, 5, [1, 2, 3].map(keyOf), startMs)
  const six = addSkippedKeys(three, 9, [4, 5, 6].map(keyOf), startMs + 1_000)

  it('are found by number and gone when taken', () => {
    let left = six
    for (const [number, key] of [
      [6, 2],
      [11, 6],
      [5, 1],
      [9, 4],
      [7, 3],
      [10, 5],
    ] as const) {
      const taken = takeSkippedKey(left, number)
      expect(taken?.key).to.deep.equal(keyOf(key))
      expect(takeSkippedKey(taken!.rest, number)).to.equal(undefined)
      left = taken!.rest
    }
    expect(left.count).to.equal(0)
    for (const number of [4, 8, 12]) expect(takeSkippedKey(six, number)).to.equal(undefined)
  })

  it('are forgotten oldest first, and it is remembered up to where', () => {
    expect(forgetOldest(six, 0)).to.equal(six)
    expect(forgetOldest(noSkippedKeys, 3)).to.equal(noSkippedKeys)
    const four = forgetOldest(six, 2)
    expect(four).to.include({ count: 4, forgottenBelow: 7 })
    expect(takeSkippedKey(four, 6)).to.equal(undefined)
    expect(takeSkippedKey(four, 7)?.key).to.deep.equal(keyOf(3))
    expect(forgetOldest(six, 100)).to.include({ count: 0, forgottenBelow: 12 })
  })

  it('expire each at its own time', () => {
    const last = startMs + limits.skippedKeyMs
    for (const [nowMs, kept] of [
      [last, 6],
      [last + 1, 3],
      [last + 1_000, 3],
      [last + 1_001, 0],
    ] as const) {
      expect(holdsExpired(six, nowMs), `${nowMs - last}`).to.equal(kept < 6)
      expect(forgetExpired(six, nowMs).count, `${nowMs - last}`).to.equal(kept)
    }
    expect(forgetExpired(noSkippedKeys, last + 1)).to.equal(noSkippedKeys)
    expect(holdsExpired(noSkippedKeys, last + 1)).to.equal(false)
  })

  it('are read back whole or not at all', () => {
    const bytes = six.rows.expose()
    const row = bytes.length / 6
    expect(skippedKeysFrom(bytes.slice(), 3)).to.include({ count: 6, forgottenBelow: 3 })
    expect(skippedKeysFrom(new Uint8Array(0), 0)).to.equal(noSkippedKeys)
    expect(skippedKeysFrom(new Uint8Array(0), 3)).to.include({ count: 0, forgottenBelow: 3 })
    expect(skippedKeysFrom(bytes.slice(1), 0)).to.equal(undefined)
    expect(skippedKeysFrom(new Uint8Array(limits.skippedKeys * row), 0)?.count).to.equal(limits.skippedKeys)
    expect(skippedKeysFrom(new Uint8Array((limits.skippedKeys + 1) * row), 0)).to.equal(undefined)
  })
})

import { decodeFirstFlight } from '../../../packages/core/src/session/handshake-frame.ts'
import { decodeHeader, encodeHeader } from '../../../packages/core/src/session/header.ts'
import { decodePairwise, encodePairwise } from '../../../packages/core/src/session/index.ts'
import { decodeRatchetFrame, encodeRatchetFrame } from '../../../packages/core/src/session/ratchet-frame.ts'
import { equalBytes } from '../../../packages/core/src/wire/index.ts'
import { establishedPair, twoEndpoints } from '../../support/session-world.ts'
import { sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const [alice, bob] = establishedPair()
const frames = ['one', 'two', 'a longer text '.repeat(30)].map((text) => alice.send(text))
const state = bob.snapshot()

const [ada, ben] = twoEndpoints(undefined, 'first flight')
ada.begin(ben.device)
const flights = [ada.send('first'), ada.send('second')]
const before = ben.snapshot()

const dh = new Uint8Array(32).fill(9) as never
const headers = [
  encodeHeader({ ratchetKey: dh, previousCount: 0, count: 0, offer: undefined, answer: undefined }),
  encodeHeader({
    ratchetKey: dh,
    previousCount: 127,
    count: 0xffff_ffff,
    offer: new Uint8Array(1184) as never,
    answer: undefined,
  }),
]

export const targets: readonly FuzzTarget[] = [
  {
    name: 'session/ratchet frame',
    seeds: frames,
    run: (input) => {
      const decoded = decodeRatchetFrame(input)
      return decoded !== undefined && sameBytes(encodeRatchetFrame(decoded), input)
    },
  },
  {
    name: 'session/header',
    seeds: headers,
    run: (input) => {
      const decoded = decodeHeader(input)
      return decoded !== undefined && sameBytes(encodeHeader(decoded), input)
    },
  },
  { name: 'session/first flight', seeds: flights, run: (input) => decodeFirstFlight(input) !== undefined },
  {
    name: 'session/stored pair',
    seeds: [state, before],
    run: (input) => {
      const decoded = decodePairwise(input)
      if (decoded === undefined) return false
      // Own bytes from a sealed store: one spelling is not asked for, but what is written must come back.
      const again = decodePairwise(encodePairwise(decoded))
      return again !== undefined && sameBytes(encodePairwise(again), encodePairwise(decoded))
    },
  },
  {
    name: 'session/receive',
    seeds: frames,
    weight: 20,
    run: (input) => {
      bob.restore(state)
      const received = bob.receive(input)
      const genuine = frames.some((frame) => equalBytes(frame, input))
      if ('text' in received !== genuine)
        throw new Error(genuine ? 'refused a genuine frame' : 'opened a frame nobody sealed')
      if (!genuine && !equalBytes(bob.snapshot(), state)) throw new Error('a refused frame left a trace')
      return genuine
    },
  },
  {
    name: 'session/receive a stranger',
    seeds: flights,
    weight: 100,
    run: (input) => {
      ben.restore(before)
      const received = ben.receive(input)
      if (!('text' in received) && !equalBytes(ben.snapshot(), before))
        throw new Error('a refused flight left a trace')
      if ('text' in received && !flights.some((flight) => equalBytes(flight, input)))
        throw new Error('opened a flight nobody sealed')
      return 'text' in received
    },
  },
]

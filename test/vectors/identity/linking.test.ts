/** Frozen runs of linking, played by the room with every provider and read by a second implementation. */
import { expect } from 'chai'
import { encode } from 'cborg'
import { readFileSync, writeFileSync } from 'node:fs'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import {
  linkEmoji,
  offerEntropyBytes,
  publishingLinkPlaces,
  readCertificate,
  writeLinkRecord,
  type LinkWay,
} from '../../../packages/core/src/identity/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { fromHex, toHex } from '../../../packages/core/src/wire/index.ts'
import { Channel, entropyOf, Home, NewEnd, OldEnd, targetOf } from '../../core/identity/link-world.ts'
import { seedOf, startMs } from '../../core/identity/support.ts'
import { providers } from '../../support/providers.ts'
import { secondRun } from '../../support/second-linking.ts'

const file = new URL('./linking.json', import.meta.url)
const ways: readonly LinkWay[] = ['link', 'code']

interface Run {
  readonly entropy: string
  readonly transportKey: string
  readonly text: string
  readonly emoji: readonly string[]
  /** `old` or `new` and the bytes. */
  readonly frames: readonly string[]
}
interface Vectors {
  readonly runs: Readonly<Record<string, Run>>
  readonly places: readonly string[]
  readonly record: string
}

function runOf(crypto: CryptoProvider, way: LinkWay): Run {
  const label = `vector ${way}`
  const offer = new NewEnd(label, way, crypto)
  const { text } = offer
  const approval = new OldEnd(label, targetOf(text, offer.contact), crypto)
  const channel = new Channel(offer, approval).meet().finish(new Home('vector'), [seedOf('introduction')])
  return {
    entropy: toHex(entropyOf(`${label} offer`, offerEntropyBytes)),
    transportKey: toHex(offer.own.transportKey),
    text,
    emoji: (offer.event('compare')?.emoji ?? []).map(({ name }) => name),
    frames: channel.carried.map(({ from, frame }) => `${from} ${toHex(frame)}`),
  }
}

function vectors(crypto: CryptoProvider): Vectors {
  const { own } = new NewEnd('vector code', 'code', crypto)
  const places = publishingLinkPlaces(crypto, '7H0', own.transportKey, startMs)
  return {
    runs: Object.fromEntries(ways.map((way) => [way, runOf(crypto, way)])),
    places: places.map(({ seed, day, slot }) => `${day} ${slot} ${toHex(seed)}`),
    record: toHex(writeLinkRecord({ transportKey: own.transportKey, addresses: own.addresses })),
  }
}

describe('linking: vectors', () => {
  const [first] = providers
  if (process.env['UPDATE_VECTORS'] === '1' && first !== undefined)
    writeFileSync(file, `${JSON.stringify(vectors(first), null, 2)}\n`)
  const committed = JSON.parse(readFileSync(file, 'utf8')) as Vectors

  for (const crypto of providers)
    it(`both ways have their committed bytes with ${crypto.name}`, () => {
      expect(vectors(crypto)).to.deep.equal(committed)
    })

  for (const way of ways)
    it(`a second implementation reads the same from a run by ${way}`, () => {
      const run = committed.runs[way]!
      const frames = run.frames.map((line) => {
        const [from, bytes] = line.split(' ') as ['old' | 'new', string]
        return { from, frame: fromHex(bytes) }
      })
      const entropy = fromHex(run.entropy)
      const second = secondRun({ entropy, transportKey: fromHex(run.transportKey), text: run.text, frames })
      expect(toHex(encode(second.reply))).to.equal(toHex(frames[1]!.frame))
      expect(toHex(second.nonce)).to.equal(toHex(entropy.slice(117, 149)))
      expect(second.provesSecret).to.equal(true)
      expect(second.emoji.map((number) => linkEmoji[number]!.name)).to.deep.equal(run.emoji)
      const order = second.said.map(({ from, message }) => `${from} ${String(message[0])}`)
      expect(order.join(', ')).to.equal('new 1, old 2, new 3, old 4, new 5, old 6, new 7, old 8')
      const certificate = readCertificate(first!, second.said[2]!.message[1] as Uint8Array)
      expect(certificate!.notAfterMs - certificate!.notBeforeMs).to.equal(limits.certificateMs)
      expect(toHex(second.said[5]!.message[1] as Uint8Array)).to.equal(toHex(seedOf('vector discovery')))
    })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import {
  linkCandidates,
  linkEmoji,
  parseInvite,
  parseLinkInput,
  publishingLinkPlaces,
  readingLinkPlaces,
  writeLinkRecord,
} from '../../../packages/core/src/identity/index.ts'
import { formatLinkCode, linkCodeOf, parseLinkCode } from '../../../packages/core/src/identity/link-code.ts'
import { emojiOf } from '../../../packages/core/src/identity/link-emoji.ts'
import { formatDeviceLink, type DeviceLink } from '../../../packages/core/src/identity/link-text.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { fromBase64Url, toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, seedOf, startMs } from './support.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe('short codes', () => {
  it('are eight characters of 40 bits, shown as three and five', () => {
    expect(formatLinkCode(linkCodeOf(Uint8Array.of(0, 0, 0, 0, 0)))).to.equal('000-00000')
    expect(formatLinkCode(linkCodeOf(Uint8Array.of(255, 255, 255, 255, 255)))).to.equal('ZZZ-ZZZZZ')
    expect(formatLinkCode(linkCodeOf(Uint8Array.of(0x00, 0x44, 0x32, 0x14, 0xc7)))).to.equal('012-34567')
    expect(() => linkCodeOf(new Uint8Array(4))).to.throw(UsageError)
  })

  it('are read as people write them', () => {
    fc.assert(
      fc.property(bytes(5), fc.boolean(), fc.constantFrom('-', '', ' ', ' - '), (entropy, lower, between) => {
        const shown = formatLinkCode(linkCodeOf(entropy))
        const typed = shown
          .replace('-', between)
          .replaceAll('0', 'O')
          .replaceAll('1', lower ? 'l' : 'I')
        const parsed = parseLinkInput(` ${lower ? typed.toLowerCase() : typed}\n`)
        if (!parsed.ok || parsed.way !== 'code') throw new Error(shown)
        expect(formatLinkCode(parsed.code)).to.equal(shown)
      }),
    )
  })

  it('are nothing else', () => {
    for (const input of [
      '',
      '-',
      '1234567',
      '123456789',
      'ABC-DEFGU',
      'ABC-DEFG€',
      'ＡＢＣ-ＤＥＦＧＨ',
      '0'.repeat(65),
    ]) {
      expect(parseLinkCode(input), input).to.equal(undefined)
      expect(parseLinkInput(input).ok).to.equal(false)
    }
  })
})

describe('device links', () => {
  const link = (addresses: readonly string[] = []): DeviceLink => ({
    ephemeral: crypto.dhKeyPair(seedOf('ephemeral')).publicKey,
    kemHash: seedOf('kem'),
    commitment: seedOf('commitment'),
    secret: new Secret(seedOf('secret').slice(0, 16)),
    transportKey: crypto.signKeyPair(seedOf('transport')).publicKey,
    addresses,
  })
  const longest = `/dns4/${'a'.repeat(limits.addressBytes - 6)}`
  const reasonOf = (input: string): string => {
    const parsed = parseLinkInput(input)
    return parsed.ok ? parsed.way : parsed.reason
  }

  it('are read back as they were written, at most two addresses long', () => {
    for (const addresses of [[], ['/ip4/192.0.2.7/tcp/1'], [longest, longest]]) {
      const text = formatDeviceLink(link(addresses))
      expect(text.length).to.be.at.most(limits.linkChars)
      const parsed = parseLinkInput(` ${text.replace('sotto:l', 'SOTTO:L')} `)
      if (!parsed.ok || parsed.way !== 'link') throw new Error(reasonOf(text))
      expect(formatDeviceLink(parsed.link)).to.equal(text)
      expect(toHex(parsed.link.secret.expose())).to.equal(toHex(seedOf('secret').slice(0, 16)))
    }
    expect(() => formatDeviceLink(link(['/a', '/b', '/c']))).to.throw(UsageError)
    expect(() => formatDeviceLink(link([`${longest}a`]))).to.throw(UsageError)
    expect(() => formatDeviceLink(link(['example.org']))).to.throw(UsageError)
  })

  it('are no invites, and invites are no links', () => {
    const text = formatDeviceLink(link())
    expect(parseInvite(text).ok).to.equal(false)
    expect(reasonOf(text.replace('sotto:l', 'sotto:i'))).to.equal('scheme')
    expect(reasonOf(text.replace('sotto:l', 'https://relay.example/l'))).to.equal('scheme')
  })

  it('say what is wrong with others', () => {
    const text = formatDeviceLink(link())
    expect(reasonOf(`${text}*`)).to.equal('base64')
    expect(reasonOf(text.slice(0, -4))).to.equal('content')
    expect(reasonOf('sotto:l#')).to.equal('content')
    expect(reasonOf(`sotto:l#${'A'.repeat(limits.linkChars)}`)).to.equal('too-long')
    expect(fromBase64Url(text.slice(8))).to.have.length(156)
  })
})

describe('places of short codes', () => {
  const transportKey = (label: string) => crypto.signKeyPair(seedOf(label)).publicKey
  const nameOf = ({ seed, day, slot }: { seed: Uint8Array; day: number; slot: number }): string =>
    `${toHex(seed)}/${day}/${slot}`

  it('a reader looks where a device publishes, for as long as a code lives and with clocks five minutes apart', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.integer({ min: -1, max: 1 }), bytes(5), (later, apart, entropy) => {
        const nowMs = startMs + later
        const { locator } = linkCodeOf(entropy)
        const published = publishingLinkPlaces(crypto, locator, transportKey('ada'), nowMs).map(nameOf)
        const reading = readingLinkPlaces(crypto, locator, nowMs + apart * limits.linkMs).map(nameOf)
        expect(published.some((place) => reading.includes(place))).to.equal(true)
        expect(reading).to.have.length(3 * limits.linkPlaces)
        expect(new Set(reading).size).to.equal(reading.length)
      }),
      { numRuns: 100 },
    )
  })

  it('differ by characters and by time, and spread devices over the slots', () => {
    const seedAt = (locator: string, nowMs: number): string =>
      toHex(readingLinkPlaces(crypto, locator, nowMs)[0]!.seed)
    expect(seedAt('ABC', startMs)).to.equal(seedAt('ABC', startMs + limits.linkMs - 1))
    expect(seedAt('ABC', startMs)).to.not.equal(seedAt('ABC', startMs + limits.linkMs))
    expect(seedAt('ABC', startMs)).to.not.equal(seedAt('ABD', startMs))
    const slots = Array.from(
      { length: 60 },
      (_, i) => publishingLinkPlaces(crypto, 'ABC', transportKey(`device ${i}`), startMs)[0]!.slot,
    )
    expect(new Set(slots).size).to.equal(limits.linkPlaces)
    expect(() => readingLinkPlaces(crypto, 'abc', startMs)).to.throw(UsageError)
    expect(() => readingLinkPlaces(crypto, 'ABCD', startMs)).to.throw(UsageError)
  })

  it('give each device once, eight at most, and nothing of what is no record', () => {
    const record = (label: string): Uint8Array =>
      writeLinkRecord({ transportKey: transportKey(label), addresses: ['/ip4/192.0.2.7/tcp/1'] })
    const many = Array.from({ length: 12 }, (_, i) => record(`device ${i}`))
    const found = linkCandidates([Uint8Array.of(1), record('device 1'), ...many])
    expect(found).to.have.length(limits.linkCandidates)
    expect(toHex(found[0]!.transportKey)).to.equal(toHex(transportKey('device 1')))
    expect(new Set(found.map((one) => toHex(one.transportKey))).size).to.equal(limits.linkCandidates)
    const tooMany = Array.from({ length: 9 }, (_, i) => `/ip4/192.0.2.${i}/tcp/1`)
    expect(() => writeLinkRecord({ transportKey: transportKey('ada'), addresses: tooMany })).to.throw(
      UsageError,
    )
  })
})

describe('pictures', () => {
  it('are 64, each another and with a word of its own', () => {
    expect(linkEmoji).to.have.length(64)
    expect(new Set(linkEmoji.map(({ symbol }) => symbol)).size).to.equal(64)
    expect(new Set(linkEmoji.map(({ name }) => name)).size).to.equal(64)
    for (const { symbol, name } of linkEmoji) {
      expect(Array.from(symbol)).to.have.length(1)
      expect(symbol).to.match(/\p{Emoji_Presentation}/u)
      expect(name).to.match(/^[a-z ]{2,16}$/)
    }
  })

  it('are six bits each of the first 36', () => {
    const indices = (digest: Uint8Array): readonly number[] =>
      emojiOf(digest).map((one) => linkEmoji.indexOf(one))
    expect(indices(Uint8Array.of(0x00, 0x10, 0x83, 0x10, 0x5f))).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(indices(new Uint8Array(5).fill(255))).to.deep.equal([63, 63, 63, 63, 63, 63])
    fc.assert(
      fc.property(bytes(5), (digest) => {
        const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('')
        const expected = Array.from({ length: 6 }, (_, i) => Number.parseInt(bits.slice(6 * i, 6 * i + 6), 2))
        expect(indices(digest)).to.deep.equal(expected)
      }),
    )
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import type { SignPublicKey } from '../../../packages/core/src/crypto/index.ts'
import {
  createValidator,
  dayOf,
  decodeHeads,
  deviceSlot,
  encodeHeads,
  openRecord,
  openRecords,
  publishingDays,
  readingDays,
  recordExpiry,
  recordKey,
  recordPlaintextBytes,
  sealRecord,
} from '../../../packages/core/src/discovery/index.ts'
import { limits } from '../../../packages/core/src/index.ts'
import { decodeValue } from '../../../packages/core/src/discovery/value.ts'
import { bytesOf, crypto, dayMs, hourMs, keyPair, noonMs, record, valueOf } from './support.ts'

const day = dayOf(noonMs)
const place = { day, slot: 0 }
const ada = keyPair('ada').publicKey

describe('discovery/blinded', () => {
  it('opens what it sealed, at every size', () => {
    for (const size of [0, 1, 2_046, 2_047, 2_048, recordPlaintextBytes - 1, recordPlaintextBytes]) {
      const plaintext = bytesOf('text', size)
      const { key, value } = record('ada', { plaintext })
      expect(key).to.equal(recordKey(crypto, ada, place))
      expect(value.length).to.be.at.most(limits.recordBytes)
      const opened = openRecord(crypto, ada, place, [value], noonMs)
      expect(opened.found && opened.record.plaintext, `${size} bytes`).to.deep.equal(plaintext)
    }
  })

  it('gives the largest counters back, within the frame', () => {
    const seq = 2 ** 48 - 1
    const big = { day: 40_000, slot: seq }
    const { value } = record('ada', {
      ...big,
      seq,
      notAfterMs: 40_000 * dayMs,
      plaintext: bytesOf('x', recordPlaintextBytes),
    })
    expect(value.length).to.be.at.most(limits.recordBytes)
    const opened = openRecord(crypto, ada, big, [value], 40_000 * dayMs - 1)
    expect(opened.found && opened.record.seq).to.equal(seq)
  })

  it('refuses drafts that do not fit', () => {
    const bad = [
      { plaintext: new Uint8Array(recordPlaintextBytes + 1) },
      { nonce: new Uint8Array(23) },
      { seq: 2 ** 48 },
      { seq: -1 },
      { slot: 0.5 },
      { day: -1 },
      { notAfterMs: Number.NaN },
    ]
    for (const changes of bad)
      expect(() => record('ada', changes))
        .to.throw()
        .with.property('fault', 'usage')
  })

  it('is deterministic', () => {
    expect(record('ada')).to.deep.equal(record('ada'))
  })

  it('opens for nobody without the discovery key, nor at another place', () => {
    const { value } = record('ada')
    const none = { found: false, reason: 'none' }
    expect(openRecord(crypto, keyPair('bob').publicKey, place, [value], noonMs)).to.deep.equal(none)
    expect(openRecord(crypto, ada, { day: day + 1, slot: 0 }, [value], noonMs)).to.deep.equal(none)
    expect(openRecord(crypto, ada, { day, slot: 1 }, [value], noonMs)).to.deep.equal(none)
  })

  it('takes the highest seq, and nothing older than is known', () => {
    const values = [3, 9, 7].map((seq) => record('ada', { seq, plaintext: Uint8Array.of(seq) }).value)
    const seqs = openRecords(crypto, ada, place, values, noonMs).map(({ seq }) => seq)
    expect(seqs).to.deep.equal([9, 7, 3])
    const best = openRecord(crypto, ada, place, values, noonMs, 9)
    expect(best.found && best.record.plaintext).to.deep.equal(Uint8Array.of(9))
    expect(openRecord(crypto, ada, place, values, noonMs, 10)).to.deep.equal({
      found: false,
      reason: 'rollback',
    })
  })

  it('opens no expired value', () => {
    const { value } = record('ada', { notAfterMs: noonMs + hourMs })
    expect(openRecord(crypto, ada, place, [value], noonMs + hourMs).found).to.equal(true)
    expect(openRecord(crypto, ada, place, [value], noonMs + hourMs + 1).found).to.equal(false)
  })

  it('finds nothing under a discovery key that is no point', () => {
    for (const fill of [0, 1, 0x7f, 0xff]) {
      const broken = new Uint8Array(32).fill(fill) as SignPublicKey
      const key = recordKey(crypto, broken, place)
      expect(key === undefined || key.length === 59, `${fill}`).to.equal(true)
      expect(openRecords(crypto, broken, place, [record('ada').value], noonMs)).to.deep.equal([])
    }
  })

  it('never opens what liars put there', () => {
    const { value } = record('ada')
    const liar = valueOf(keyPair('liar'), 2 ** 50, noonMs + dayMs).value
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }),
        fc.nat(value.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (rubbish, at, flip) => {
          const changed = value.slice()
          changed[at]! ^= flip
          const found = openRecords(crypto, ada, place, [liar, changed, ...rubbish], noonMs)
          expect(found).to.deep.equal([])
        },
      ),
      { numRuns: 300 },
    )
    expect(openRecord(crypto, ada, place, [liar, value], noonMs).found).to.equal(true)
  })

  it('is read a day to either side of the writer, and published a day ahead', () => {
    for (const shift of [-dayMs, 0, dayMs])
      expect(readingDays(noonMs + shift)).to.include(publishingDays(noonMs)[0])
    expect(readingDays(noonMs + limits.dhtLifeMs)).to.include.oneOf([...publishingDays(noonMs)])
    expect(readingDays(0)).to.deep.equal([0, -1, 1])
    expect(recordExpiry(noonMs)).to.equal(noonMs + limits.dhtLifeMs)
  })

  it('gives every device a slot that is not the account’s', () => {
    expect(deviceSlot(new Uint8Array(32))).to.equal(1)
    expect(deviceSlot(new Uint8Array(32).fill(255))).to.equal(2 ** 48 - 1)
    expect(deviceSlot(bytesOf('device'))).to.not.equal(deviceSlot(bytesOf('another')))
  })
})

describe('discovery/heads', () => {
  it('carries the newest operations that fit', () => {
    const ops = Array.from({ length: 60 }, (_, i) => new Uint8Array(400).fill(i))
    const heads = [bytesOf('head')]
    const decoded = decodeHeads(encodeHeads(heads, ops))
    if (!decoded.ok) throw new Error(decoded.reason)
    expect(decoded.value.heads).to.deep.equal(heads)
    expect(decoded.value.ops).to.have.length(29)
    expect(decoded.value.ops).to.deep.equal(ops.slice(-29))
    record('ada', { plaintext: encodeHeads(heads, ops) })
  })

  it('takes its lists at their limits and refuses a head too many', () => {
    const tiny = decodeHeads(
      encodeHeads(
        [],
        Array.from({ length: 300 }, (_, i) => Uint8Array.of(i % 256)),
      ),
    )
    expect(tiny.ok && tiny.value.ops).to.have.length(128)
    const heads = (count: number) => Array.from({ length: count }, () => new Uint8Array(32))
    expect(decodeHeads(encodeHeads(heads(limits.deviceLogHeads), [])).ok).to.equal(true)
    expect(() => encodeHeads(heads(limits.deviceLogHeads + 1), [])).to.throw('list')
  })

  it('is total on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeHeads(bytes)
        expect(decoded.ok ? encodeHeads(decoded.value.heads, decoded.value.ops) : bytes).to.deep.equal(bytes)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('discovery privacy', () => {
  /** Every run of `length` bytes in a value. */
  const runs = (value: Uint8Array, length: number): Set<string> =>
    new Set(
      Array.from({ length: value.length - length + 1 }, (_, at) =>
        Buffer.from(value.subarray(at, at + length)).toString('hex'),
      ),
    )

  const sameMoment = { seq: 1_700_000_000, notAfterMs: noonMs + dayMs, plaintext: bytesOf('same', 900) }
  const records = [
    record('ada', { ...sameMoment }),
    record('ada', { ...sameMoment, slot: 7 }),
    record('ada', { ...sameMoment, day: day + 1 }),
    record('ada', { ...sameMoment, day: day + 1, slot: 7 }),
    record('bob', { ...sameMoment }),
  ]

  it('lets no two records of an account share bytes, beyond what all records share', () => {
    // The frame's own bytes and the expiry, rounded to the hour, are common to the records of everybody.
    const [common, ...own] = [records[4]!, ...records.slice(0, 4)].map(({ value }) => runs(value, 4))
    for (const [i, a] of own.entries())
      for (const b of own.slice(i + 1))
        expect([...a].filter((run) => b.has(run) && !common!.has(run))).to.deep.equal([])
    expect(new Set(records.map(({ key }) => key)).size).to.equal(records.length)
  })

  it('masks the seq, so that one counter looks different at every place', () => {
    const seqs = records.map(({ value }) => {
      const decoded = decodeValue(value)
      return decoded.ok ? decoded.value.seq : 0
    })
    expect(new Set(seqs).size).to.equal(records.length)
    expect(seqs).to.not.include(sameMoment.seq)
  })

  it('shows sizes in steps only', () => {
    const sizes = [10, 500, 2_047].map(
      (size) => record('ada', { plaintext: bytesOf('p', size) }).value.length,
    )
    expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(4)
  })

  it('holds neither the discovery key nor the plaintext', () => {
    for (const { value } of records) {
      const hex = Buffer.from(value).toString('hex')
      expect(hex).to.not.include(Buffer.from(ada).toString('hex'))
      expect(hex).to.not.include(Buffer.from(sameMoment.plaintext.subarray(0, 8)).toString('hex'))
    }
  })

  it('lets who reads not write: a contact’s value stands under another key', () => {
    // A contact knows A and so every factor, yet a signature under A' needs a.
    const key = recordKey(crypto, ada, place)!
    const contact = keyPair('a contact')
    const checked = createValidator(crypto, () => noonMs)
    const forged = sealRecord(crypto, {
      discovery: { publicKey: ada, secret: contact.secret },
      ...place,
      seq: 99,
      notAfterMs: noonMs + dayMs,
      plaintext: bytesOf('forged'),
      nonce: bytesOf('nonce', 24),
    })
    expect(forged.key).to.equal(key)
    expect(checked.validate(key, forged.value)).to.equal('bad-signature')
    expect(openRecords(crypto, ada, place, [forged.value], noonMs)).to.deep.equal([])
  })
})

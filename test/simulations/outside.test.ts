import { expect } from 'chai'
import fc from 'fast-check'
import { idSpellings, Outside, spellings, textSpellings } from '../../simulations/laws/outside.ts'

const secret = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1)
const rubbish = (length: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 3)) & 0xff))

const around = (inner: Uint8Array | string): Buffer =>
  Buffer.concat([rubbish(5, 1), Buffer.from(inner), rubbish(9, 2)])

const wanted = new Map([['it', spellings(secret)]])

describe('what left a process', () => {
  it('is found in every spelling, wherever in a message it stands', () => {
    for (const spelling of [
      ...spellings(secret),
      Buffer.concat([Buffer.from('ab'), secret]).toString('base64url'),
    ]) {
      const outside = new Outside()
      outside.add(rubbish(300, 3))
      outside.add(around(spelling))
      expect([...outside.found(wanted)], String(spelling)).to.deep.equal(['it'])
    }
  })

  it('names what was found, and nothing else', () => {
    const outside = new Outside()
    outside.add(around('the secret text'))
    outside.add(secret.subarray(0, 31))
    const secrets = new Map([
      ['id', spellings(secret)],
      ['text', textSpellings('secret text')],
      ['title', textSpellings('another')],
    ])
    expect([...outside.found(secrets)]).to.deep.equal(['text'])
  })

  it('is not found across two messages, and is at both ends of a block', () => {
    const apart = new Outside()
    apart.add(secret.subarray(0, 16))
    apart.add(secret.subarray(16))
    expect(apart.found(wanted).size).to.equal(0)

    const whole = new Outside()
    whole.add(Buffer.concat([rubbish((1 << 20) - 33, 4), secret]))
    expect(whole.found(wanted).size).to.equal(1)
    const cut = new Outside()
    cut.add(Buffer.concat([rubbish((1 << 20) - 17, 4), secret.subarray(0, 16)]))
    cut.add(Buffer.concat([secret, rubbish(3, 1)]))
    expect(cut.found(wanted).size).to.equal(1)
    expect(cut.found(new Map([['id', idSpellings('not an id')]])).size).to.equal(0)
  })

  const few = fc.uint8Array({ minLength: 2, maxLength: 6, min: 1, max: 3 })

  it('is found where a plain search finds it, and nowhere else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60, min: 1, max: 3 })),
        fc.array(few, { minLength: 1 }),
        (left, secrets) => {
          const outside = new Outside()
          for (const bytes of left) outside.add(bytes)
          const found = outside.found(new Map(secrets.map((secret) => [secret, [secret]])))
          const plain = secrets.filter((secret) =>
            left.some((bytes) => Buffer.from(bytes).includes(Buffer.from(secret))),
          )
          expect([...found]).to.have.members([...new Set(plain)])
        },
      ),
    )
  })

  it('cannot be searched for a single byte', () => {
    expect(() => new Outside().found(new Map([['x', ['x']]]))).to.throw(RangeError)
  })
})

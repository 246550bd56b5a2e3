import { expect } from 'chai'
import { format, inspect } from 'node:util'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { providers } from '../../support/providers.ts'

const seed = Uint8Array.from({ length: 32 }, (_, i) => 200 + i)
const spellings = [
  Buffer.from(seed).toString('hex'),
  Buffer.from(seed).toString('base64'),
  Buffer.from(seed).toString('latin1'),
  seed.subarray(0, 4).join(','),
  seed.subarray(0, 4).join(', '),
]

const tells = (text: string): boolean => spellings.some((spelling) => text.includes(spelling))

describe('Secret', () => {
  const prints: [string, (value: unknown) => string][] = [
    ['String', (value) => String(value)],
    ['template', (value) => `<${value as string}>`],
    ['concatenation', (value) => '<' + (value as string)],
    ['JSON', (value) => JSON.stringify({ value })],
    ['inspect', (value) => inspect({ value }, { depth: 9, showHidden: true })],
    ['inspect, getters', (value) => inspect(value, { getters: true, showHidden: true })],
    ['format', (value) => format('%s %o %O %j', value, value, value, value)],
    ['error', (value) => new Error(`bad ${value as string}`, { cause: value }).stack ?? ''],
    ['error, inspected', (value) => inspect(new Error('bad', { cause: value }))],
    ['keys', (value) => JSON.stringify(Object.entries(value as object))],
    ['spread', (value) => inspect({ ...(value as object) })],
  ]
  for (const [name, print] of prints)
    it(`does not print: ${name}`, () => {
      const secret = new Secret(seed.slice())
      secret.prepared((bytes) => bytes.slice())
      expect(tells(print(secret))).to.equal(false)
      expect(tells(print(providers[1]!.signKeyPair(seed)))).to.equal(false)
    })

  it('would be found out by this test', () => {
    expect(tells(inspect(seed))).to.equal(true)
    expect(tells(JSON.stringify([...seed]))).to.equal(true)
  })

  it('gives its bytes to whoever asks, always the same array', () => {
    const secret = new Secret(seed.slice())
    expect([...secret.expose()]).to.deep.equal([...seed])
    expect(secret.expose()).to.equal(secret.expose())
    expect(secret.length).to.equal(32)
  })

  it('prepares a form once, and wipes it with the bytes', () => {
    const secret = new Secret(seed.slice())
    let made = 0
    const double = (bytes: Uint8Array): Uint8Array => {
      made++
      return Uint8Array.of(...bytes, ...bytes)
    }
    const form = secret.prepared(double)
    expect(secret.prepared(double)).to.equal(form)
    expect(made).to.equal(1)
    expect(secret.wiped).to.equal(false)
    secret.wipe()
    expect(secret.wiped).to.equal(true)
    expect([...secret.expose(), ...form].every((byte) => byte === 0)).to.equal(true)
  })

  it('copies into a secret wiped on its own, which shares forms that are no bytes', () => {
    const secret = new Secret(seed.slice())
    const imported = (): object => ({})
    const expanded = (bytes: Uint8Array): Uint8Array => bytes.slice()
    const form = secret.prepared(imported)
    const array = secret.prepared(expanded)
    const copy = secret.copy()
    expect(copy.prepared(imported)).to.equal(form)
    expect(copy.prepared(expanded)).not.to.equal(array)
    secret.wipe()
    expect([...copy.expose()]).to.deep.equal([...seed])
    expect([...copy.prepared(expanded)]).to.deep.equal([...seed])
    expect(copy.wiped).to.equal(false)
    expect(secret.copy().wiped).to.equal(true)
  })
})

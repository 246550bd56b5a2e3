/** Frozen bytes of every kind of record: its body, itself, its id and its author's signature. */
import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import {
  decodeBody,
  encodeBody,
  issueRecord,
  readRecord,
  recordKinds,
  type Body,
} from '../../../packages/core/src/history/index.ts'
import { fromHex, toHex } from '../../../packages/core/src/wire/index.ts'
import { providers } from '../../support/providers.ts'

const file = new URL('bodies.json', import.meta.url)
const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

const sayings: Readonly<Record<string, readonly [body: Body, target: Uint8Array | null]>> = {
  message: [{ kind: 'msg', text: 'hello' }, null],
  answer: [{ kind: 'msg', text: 'Grüezi 𝄞' }, id(9)],
  edit: [{ kind: 'edit', text: 'hullo' }, id(9)],
  redact: [{ kind: 'redact' }, id(9)],
  react: [{ kind: 'react', emoji: '👍🏽' }, id(9)],
  'react no more': [{ kind: 'react', emoji: '' }, id(9)],
  timer: [{ kind: 'timer', ms: 604_800_000 }, null],
  'timer off': [{ kind: 'timer', ms: null }, null],
}

/** Every kind of record there is, from fixed inputs. */
const vectors = (crypto: CryptoProvider): Readonly<Record<string, Readonly<Record<string, string>>>> =>
  Object.fromEntries(
    Object.entries(sayings).map(([name, [said, target]]) => {
      const body = encodeBody(said)
      const { header, carried } = issueRecord(
        crypto,
        crypto.signKeyPair(id(1)),
        {
          ...{ conversation: id(2), segment: id(3), kind: recordKinds[said.kind], account: id(4) },
          ...{ device: id(5), aseq: 300, sseq: 2, selfPrev: id(6), refs: [id(8), id(7)], xrefs: [] },
          ...{ groupHeads: [id(10)], lamport: 70_000, timestampMs: 1_760_000_000_000, ttlMs: 1_000 },
          ...{ target, history: 1 },
        },
        body,
        id(11),
      )
      const { bytes, signature } = carried
      const shown = { body, record: bytes, recordId: header.id, signature }
      return [name, Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, toHex(value)]))]
    }),
  )

describe('vectors: bodies', () => {
  const [first] = providers
  if (process.env['UPDATE_VECTORS'] === '1' && first !== undefined)
    writeFileSync(file, `${JSON.stringify(vectors(first), null, 2)}\n`)
  const committed = JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof vectors>

  for (const crypto of providers)
    it(`every kind of record has its committed bytes with ${crypto.name}`, () => {
      expect(vectors(crypto)).to.deep.equal(committed)
    })

  it('are read as what was said', () => {
    for (const [name, [said, target]] of Object.entries(sayings)) {
      const { body, record, recordId } = committed[name]!
      const header = readRecord(first!, fromHex(record!))!
      expect(toHex(header.id)).to.equal(recordId)
      expect(header.content.target).to.deep.equal(target)
      expect(decodeBody(header.content.kind, fromHex(body!))).to.deep.equal(said)
    }
  })
})

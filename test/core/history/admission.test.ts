import { expect } from 'chai'
import { nobleProvider, type CryptoProvider } from '@sotto/core/crypto'
import {
  admitRecord,
  directConversationId,
  encodeMessageBody,
  issueRecord,
  readRecord,
  recordKinds,
  segmentId,
  type AdmissionContext,
  type CarriedRecord,
  type LinkedRecord,
  type RecordDraft,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '@sotto/core/wire'

const crypto: CryptoProvider = nobleProvider()
const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)
const author = crypto.signKeyPair(filled(1))
const other = crypto.signKeyPair(filled(2))
const [account, device, stranger] = [filled(10), filled(11), filled(12)]
const conversation = directConversationId(crypto, account, stranger)
const segment = segmentId(crypto, conversation, 0)

const draft = (part: Partial<RecordDraft> = {}): RecordDraft => ({
  conversation,
  segment,
  kind: recordKinds.msg,
  account,
  device,
  aseq: 0,
  sseq: 1,
  selfPrev: null,
  refs: [],
  xrefs: [],
  groupHeads: [],
  lamport: 1,
  timestampMs: 5,
  ttlMs: null,
  target: null,
  history: 0,
  ...part,
})

const issue = (part: Partial<RecordDraft> = {}, key = author) =>
  issueRecord(crypto, key, draft(part), encodeMessageBody('text'), filled(7))

function context(
  held: readonly { readonly id: Uint8Array; readonly link: LinkedRecord }[] = [],
): AdmissionContext {
  const byId = new Map(held.map(({ id, link }) => [toHex(id), link]))
  return {
    conversation,
    account,
    device,
    identityKey: author.publicKey,
    segmentNumber: (id) => [0, 1].find((n) => toHex(segmentId(crypto, conversation, n)) === toHex(id)),
    linked: (id) => byId.get(toHex(id)),
  }
}

const linkOf = (header: { id: Uint8Array; content: LinkedRecord }) => ({
  id: header.id,
  link: header.content,
})
const reasonOf = (carried: CarriedRecord, held: Parameters<typeof context>[0] = []) => {
  const { bytes, signature, salt, body } = carried
  const verdict = admitRecord(crypto, { bytes, signature, said: { salt, body } }, context(held))
  return verdict.verdict === 'rejected' ? verdict.reason : verdict.verdict
}

describe('history: admission', () => {
  const first = issue()

  it('takes a first record and one that continues it', () => {
    expect(reasonOf(first.carried)).to.equal('accepted')
    const next = issue({ aseq: 1, sseq: 2, selfPrev: first.header.id, lamport: 2 })
    expect(reasonOf(next.carried, [linkOf(first.header)])).to.equal('accepted')
  })

  it('holds a record until what it stands on is there', () => {
    const next = issue({ aseq: 1, sseq: 2, selfPrev: first.header.id, lamport: 2 })
    expect(reasonOf(next.carried)).to.equal('held')
    expect(reasonOf(issue({ refs: [filled(9)], lamport: 2 }).carried)).to.equal('held')
  })

  it('refuses what another device signed or another body fills', () => {
    expect(reasonOf(issue({}, other).carried)).to.equal('bad-signature')
    expect(reasonOf({ ...first.carried, body: encodeMessageBody('other') })).to.equal('bad-commitment')
    expect(reasonOf({ ...first.carried, salt: filled(8) })).to.equal('bad-commitment')
    expect(reasonOf({ ...first.carried, bytes: filled(0, 40) })).to.equal('malformed')
  })

  it('takes a record without its body, which may come later or be gone', () => {
    const { bytes, signature } = first.carried
    expect(admitRecord(crypto, { bytes, signature, said: null }, context([])).verdict).to.equal('accepted')
  })

  it('refuses a record of another author or conversation', () => {
    expect(reasonOf(issue({ device: stranger }).carried)).to.equal('wrong-author')
    expect(reasonOf(issue({ account: stranger }).carried)).to.equal('wrong-author')
    expect(reasonOf(issue({ conversation: filled(3) }).carried)).to.equal('wrong-conversation')
    expect(reasonOf(issue({ segment: filled(3) }).carried)).to.equal('unknown-segment')
  })

  it('refuses counters and lamport clocks that do not follow from the links', () => {
    const held = [linkOf(first.header)]
    const after = { aseq: 1, sseq: 2, selfPrev: first.header.id, lamport: 2 }
    expect(reasonOf(issue({ ...after, aseq: 2 }).carried, held)).to.equal('bad-counter')
    expect(reasonOf(issue({ ...after, sseq: 3 }).carried, held)).to.equal('bad-counter')
    expect(reasonOf(issue({ ...after, lamport: 3 }).carried, held)).to.equal('bad-lamport')
    expect(reasonOf(issue({ lamport: 2 }).carried)).to.equal('bad-lamport')
  })

  it('refuses malformed links', () => {
    const after = { aseq: 1, sseq: 2, selfPrev: first.header.id, lamport: 2 }
    expect(reasonOf(issue({ ...after, refs: [first.header.id] }).carried, [linkOf(first.header)])).to.equal(
      'bad-links',
    )
    expect(reasonOf(issue({ refs: [filled(4), filled(4)] }).carried)).to.equal('bad-links')
    expect(reasonOf(issue({ aseq: 1, sseq: 2, selfPrev: null }).carried)).to.equal('bad-links')
    expect(reasonOf(issue({ aseq: 0, selfPrev: filled(5) }).carried)).to.equal('bad-links')
    const many = Array.from({ length: limits.recordLinks }, (_, i) => filled(20 + i))
    expect(reasonOf(issue({ refs: many }).carried)).to.equal('held')
    expect(reasonOf(issue({ refs: many, xrefs: [filled(50)] }).carried)).to.equal('bad-links')
  })

  it('takes every kind with a target exactly where the kind has one', () => {
    const { msg, timer, ...about } = recordKinds
    for (const kind of Object.values(about)) {
      expect(reasonOf(issue({ kind, target: filled(9) }).carried)).to.equal('accepted')
      expect(reasonOf(issue({ kind }).carried)).to.equal('bad-links')
    }
    expect(reasonOf(issue({ kind: msg, target: filled(9) }).carried)).to.equal('accepted')
    expect(reasonOf(issue({ kind: timer }).carried)).to.equal('accepted')
    expect(reasonOf(issue({ kind: timer, target: filled(9) }).carried)).to.equal('bad-links')
  })

  it('takes membership heads in order', () => {
    const groupHeads = [filled(8), filled(9)]
    expect(reasonOf(issue({ groupHeads }).carried)).to.equal('accepted')
    expect(reasonOf(issue({ groupHeads: [filled(8), filled(8)] }).carried)).to.equal('bad-links')
  })

  it('gives one verdict whatever order records came in', () => {
    const second = issue({ aseq: 1, sseq: 2, selfPrev: first.header.id, lamport: 2 })
    const third = issue({ aseq: 2, sseq: 3, selfPrev: second.header.id, lamport: 3 })
    const all = [first, second, third]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ]) {
      const held: { id: Uint8Array; link: LinkedRecord }[] = []
      let waiting = order.map((i) => all[i]).filter((one) => one !== undefined)
      for (let round = 0; round < 3; round++) {
        waiting = waiting.filter((one) => {
          if (reasonOf(one.carried, held) !== 'accepted') return true
          held.push(linkOf(one.header))
          return false
        })
      }
      expect(waiting).to.deep.equal([])
    }
  })

  it('gives an id that does not depend on the signature', () => {
    const again = readRecord(crypto, first.carried.bytes)
    expect(again?.id).to.deep.equal(first.header.id)
  })

  it('names a direct conversation alike from both sides', () => {
    expect(directConversationId(crypto, account, stranger)).to.deep.equal(
      directConversationId(crypto, stranger, account),
    )
    expect(directConversationId(crypto, account, stranger)).to.not.deep.equal(
      directConversationId(crypto, account, device),
    )
  })
})

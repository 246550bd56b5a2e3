import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import { decodeMessageBody, encodeMessageBody } from '../../../packages/core/src/history/body.ts'
import { issueRecord, readRecord, recordKinds } from '../../../packages/core/src/history/record.ts'
import { sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const crypto = await createNodeProvider()
const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const record = (sseq: number, refs: readonly Uint8Array[]): Uint8Array =>
  issueRecord(
    crypto,
    crypto.signKeyPair(id(1)),
    {
      ...{ conversation: id(2), segment: id(3), kind: recordKinds.msg, account: id(4), device: id(5) },
      ...{
        aseq: sseq - 1,
        sseq,
        selfPrev: sseq > 1 ? id(6) : null,
        refs,
        xrefs: [],
        groupHeads: [],
        lamport: sseq,
      },
      ...{ timestampMs: 1_760_000_000_000, ttlMs: null, target: null, history: 0 },
    },
    encodeMessageBody('hello'),
    id(7),
  ).header.bytes

export const targets: readonly FuzzTarget[] = [
  {
    name: 'history/record',
    seeds: [record(1, []), record(200, [id(8), id(9)])],
    run: (input) => readRecord(crypto, input) !== undefined,
  },
  {
    name: 'history/message body',
    seeds: [encodeMessageBody('hello'), encodeMessageBody('ünï𝄞 '.repeat(20))],
    run: (input) => {
      const text = decodeMessageBody(input)
      return text !== undefined && sameBytes(encodeMessageBody(text), input)
    },
  },
]

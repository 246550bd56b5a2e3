import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  admitProof,
  issueCreate,
  issueOp,
  readMembershipOp,
  type KnownOpArgs,
  type OpId,
} from '../../../packages/core/src/group/index.ts'
import type { AccountId, DeviceId, LogOpId } from '../../../packages/core/src/identity/index.ts'
import { fromHex, toHex } from '../../../packages/core/src/wire/index.ts'
import { providers } from '../../support/providers.ts'

const file = new URL('vectors.json', import.meta.url)

/** 32 bytes that count up from `first`. */
const counting = <B extends Uint8Array>(first: number): B =>
  Uint8Array.from({ length: 32 }, (_, i) => (first + i) & 255) as B

/** Every kind of operation and its id, from fixed inputs. */
function vectors(crypto: (typeof providers)[number]): Readonly<Record<string, string>> {
  const identity = crypto.signKeyPair(counting(0x10))
  const author = { identity, account: counting<AccountId>(0x20), device: counting<DeviceId>(0x30) }
  const account = counting<AccountId>(0x40)
  const heads = [counting<LogOpId>(0x50)]
  const key = crypto.signKeyPair(counting(0x60))
  const create = issueCreate(crypto, author, heads, counting(0x70), 1_760_000_000_000)
  const { conversation } = create
  const invite = counting<OpId>(0x80)
  const seen = [
    {
      device: counting<DeviceId>(0x90),
      record: { aseq: 7, id: counting(0xa0) },
      op: { oseq: 3, id: counting<OpId>(0xb0) },
    },
    { device: counting<DeviceId>(0x91), record: null, op: null },
  ]
  const changes = [
    { kind: 'history', days: 30 },
    { kind: 'retention', ms: null },
    { kind: 'timer', ms: 86_400_000 },
    { kind: 'adminsGrantAdmin', allowed: true },
    { kind: 'membersAdmit', allowed: false },
    { kind: 'adminsRedact', allowed: true },
  ] as const
  const args: readonly (readonly [string, KnownOpArgs])[] = [
    ['grant', { kind: 'grant', account, role: 'admin', heads }],
    ['revoke', { kind: 'revoke', account, frontier: seen }],
    ['demote', { kind: 'demote', account, role: 'member' }],
    ['leave', { kind: 'leave' }],
    ['invite', { kind: 'invite', key: key.publicKey, uses: 2, expiresAtMs: 1_770_000_000_000 }],
    [
      'admit',
      { kind: 'admit', invite, account, heads, proof: admitProof(crypto, key, { conversation, invite, account }) },
    ],
    ...changes.map((change) => [`policy ${change.kind}`, { kind: 'policy', change }] as const),
    ['deviceset', { kind: 'deviceset', account, heads, last: seen }],
    ['seg', { kind: 'seg', depth: 4 }],
    ['meta', { kind: 'meta', intent: counting(0xc0), after: [counting<OpId>(0xd0)] }],
    ['close', { kind: 'close', invite }],
  ]
  const place = { conversation, deps: [create.id, invite], accountHeads: heads, oseq: 2, tsMs: 1_760_000_000_001 }
  const ops = args.map(([name, what]) => {
    const cap = what.kind === 'leave' || what.kind === 'deviceset' ? null : create.id
    return [name, issueOp(crypto, author, { ...place, cap }, what)] as const
  })
  return Object.fromEntries(
    [['create', create] as const, ...ops].flatMap(([name, op]) => [
      [name, toHex(op.bytes)],
      [`${name} id`, op.key],
    ]),
  )
}

describe('group: vectors', () => {
  const [first] = providers
  if (process.env['UPDATE_VECTORS'] === '1' && first !== undefined)
    writeFileSync(file, `${JSON.stringify(vectors(first), null, 2)}\n`)
  const committed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>

  for (const crypto of providers) {
    it(`every operation has its committed bytes and id with ${crypto.name}`, () => {
      expect(vectors(crypto)).to.deep.equal(committed)
    })

    it(`the committed bytes read as what they are with ${crypto.name}`, () => {
      for (const [name, hex] of Object.entries(committed)) {
        if (name.endsWith(' id')) continue
        const op = readMembershipOp(crypto, fromHex(hex))
        expect(op?.key, name).to.equal(committed[`${name} id`])
        expect(op?.args.kind, name).to.equal(name.split(' ')[0])
      }
    })
  }
})

import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import {
  addOps,
  decodeInvite,
  decodePrekeys,
  encodeInvite,
  encodePrekeys,
  formatInvite,
  genesisFrame,
  inviteKeys,
  noPrekeys,
  openInvite,
  openInviteCopy,
  parseInvite,
  readBundle,
  readCertificate,
  readForkProof,
  readGenesis,
  readLogOp,
  resolveLog,
  rotatePrekeys,
  sealInviteCopy,
  signDeviceOp,
  type LogOpId,
} from '../../../packages/core/src/identity/index.ts'
import { readInviteRecord } from '../../../packages/core/src/identity/invite-record.ts'
import { emptyLog } from '../../../packages/core/src/identity/log-admit.ts'
import { forkProofOf } from '../../../packages/core/src/identity/log-fork.ts'
import { bytesOf, Household, inviteOf, nowMs, recordBy } from '../../core/identity/invite-world.ts'
import { bytesOfText, decodedTarget, sameBytes, textOfBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const crypto = await createNodeProvider()
const home = new Household('ada')
const laptop = home.found('laptop')
const phone = home.add(laptop, 'phone')
home.renew(phone)
home.revoke(laptop, phone)
const ops = home.log.entries.map(({ op }) => op.bytes)
const invite = inviteOf(home)
const keys = inviteKeys(crypto, invite)
const record = recordBy(home, laptop, invite)
const copy = sealInviteCopy(crypto, keys, record, bytesOf('nonce', 24))
const bundle = home.bundle(laptop)
const prekeys = rotatePrekeys(
  crypto,
  noPrekeys,
  { dh: bytesOf('dh'), kem: bytesOf('kem', 64) },
  nowMs,
).prekeys
const links = [
  invite,
  { ...invite, host: null, addresses: ['/ip4/127.0.0.1/tcp/1'] },
  { ...invite, host: 'localhost:9640' },
  { ...invite, host: '[::1]', addresses: ['/dns4/a.example/tcp/1/ws', '/ip6/::1/udp/2'] },
].map((link) => bytesOfText(formatInvite(link)))

/** Two operations of one device with one number. */
function twins(): Uint8Array {
  const author = { device: phone.device, selfSeq: 9, selfPrev: null as LogOpId | null }
  const write = (notAfterMs: number) =>
    signDeviceOp(
      crypto,
      phone,
      author,
      { account: home.account, prevHeads: [], tsMs: nowMs },
      { kind: 'renew', device: phone.device, notAfterMs },
    )
  return forkProofOf(phone.certificate, write(nowMs), write(nowMs + 1)).bytes
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'identity/genesis',
    seeds: [home.log.account.bytes],
    run: (input) => {
      const account = readGenesis(crypto, input)
      return account !== undefined && sameBytes(genesisFrame.encode(account.genesis), input)
    },
  },
  {
    name: 'identity/certificate',
    seeds: [laptop.certificate.bytes],
    weight: 5,
    run: (input) => readCertificate(crypto, input) !== undefined,
  },
  {
    name: 'identity/key bundle',
    seeds: [bundle, home.bundle(laptop, 0)],
    weight: 5,
    run: (input) => {
      const read = readBundle(crypto, input, nowMs)
      if (read.verdict === 'accepted' && Buffer.compare(input, bundle) !== 0 && input.length > 2_000)
        throw new Error('took a bundle nobody signed')
      return read.verdict === 'accepted'
    },
  },
  { name: 'identity/log operation', seeds: ops, run: (input) => readLogOp(crypto, input) !== undefined },
  {
    name: 'identity/device log',
    seeds: ops,
    weight: 20,
    run: (input) => {
      const { log, added } = addOps(crypto, emptyLog(home.log.account), [...ops, input], nowMs)
      resolveLog(log)
      if (added.length > ops.length) throw new Error('took an operation nobody signed')
      return added.some(({ bytes }) => Buffer.compare(bytes, input) === 0)
    },
  },
  {
    name: 'identity/fork proof',
    seeds: [twins()],
    weight: 5,
    run: (input) => readForkProof(crypto, input) !== undefined,
  },
  {
    name: 'identity/own prekeys',
    seeds: [encodePrekeys(prekeys), encodePrekeys(noPrekeys)],
    weight: 20,
    run: (input) => {
      const decoded = decodePrekeys(crypto, input)
      return decoded !== undefined && sameBytes(encodePrekeys(decoded), input)
    },
  },
  {
    name: 'identity/invite link',
    seeds: links,
    run: (input) => {
      const parsed = parseInvite(textOfBytes(input))
      if (!parsed.ok) return false
      const again = parseInvite(formatInvite(parsed.link))
      if (!again.ok) throw new Error('wrote a link that it does not read')
      return sameBytes(bytesOfText(formatInvite(again.link)), bytesOfText(formatInvite(parsed.link)))
    },
  },
  {
    name: 'identity/invite state',
    seeds: [encodeInvite(invite), encodeInvite({ ...invite, usedBy: [home.account], revoked: true })],
    run: (input) => {
      const decoded = decodeInvite(input)
      return decoded !== undefined && sameBytes(encodeInvite(decoded), input)
    },
  },
  { name: 'identity/invite record', seeds: [record], run: (input) => readInviteRecord(input) !== undefined },
  {
    name: 'identity/invite copy',
    seeds: [copy],
    run: (input) =>
      decodedTarget(
        ((opened) =>
          opened === undefined
            ? ({ ok: false, reason: 'malformed' } as const)
            : ({ ok: true, value: opened } as const))(openInviteCopy(crypto, keys, input)),
        (opened) => {
          sameBytes(opened, record)
          return copy
        },
        input,
      ),
  },
  {
    name: 'identity/invite',
    seeds: [record],
    weight: 20,
    run: (input) => {
      const opened = openInvite(crypto, invite, { copies: [], records: [input] }, nowMs)
      if (opened.result === 'ok' && Buffer.compare(input, record) !== 0)
        throw new Error('took a record nobody signed')
      return opened.result === 'ok'
    },
  },
]

import { nobleProvider, Secret, type SignKeyPair } from '../../../packages/core/src/crypto/index.ts'
import { addOps } from '../../../packages/core/src/identity/log-add.ts'
import { emptyLog } from '../../../packages/core/src/identity/log-admit.ts'
import {
  addArgs,
  createAccount,
  createInvite,
  issueBundle,
  issueCertificate,
  type DeviceCertificate,
  type DeviceKeys,
  type DeviceLog,
  type InviteState,
  type KnownLogOpArgs,
  type LogOp,
} from '../../../packages/core/src/identity/index.ts'
import {
  writeInviteRecord,
  type InviteRecordTerms,
} from '../../../packages/core/src/identity/invite-record.ts'
import { writeDeviceOp, writeRecoveryOp } from '../../../packages/core/src/identity/log-write.ts'

export const crypto = nobleProvider()
export const nowMs = Date.UTC(2026, 2, 10)
export const dayMs = 24 * 3_600_000

/** Deterministic bytes. */
export function bytesOf(seed: string, length = 32): Uint8Array {
  const out = new Uint8Array(length)
  for (let at = 0, i = 0; at < length; at += 32, i++)
    out.set(crypto.sha256(new TextEncoder().encode(`${seed}/${i}`)).subarray(0, length - at), at)
  return out
}

/** A device as its owner holds it. */
export interface OwnDevice extends DeviceKeys {
  readonly certificate: DeviceCertificate
  readonly device: DeviceCertificate['device']
}

/** An account with its log, growing as its methods are called. */
export class Household {
  readonly name: string
  readonly recovery: SignKeyPair
  log: DeviceLog
  #clockMs = nowMs - 20 * dayMs

  constructor(name: string) {
    this.name = name
    this.recovery = crypto.signKeyPair(bytesOf(`${name}/recovery`))
    this.log = emptyLog(createAccount(crypto, this.recovery.publicKey, bytesOf(`${name}/nonce`)))
  }

  get account() {
    return this.log.account.id
  }

  device(label: string): OwnDevice {
    const own: DeviceKeys = {
      identity: crypto.signKeyPair(bytesOf(`${this.name}/${label}/identity`)),
      agreement: crypto.dhKeyPair(bytesOf(`${this.name}/${label}/agreement`)),
    }
    const certificate = issueCertificate(crypto, this.account, own, {
      transportKey: crypto.signKeyPair(bytesOf(`${this.name}/${label}/transport`)).publicKey,
      suite: 1,
      minSuite: 1,
      notBeforeMs: nowMs - 20 * dayMs,
      notAfterMs: nowMs + 20 * dayMs,
    })
    return { ...own, certificate, device: certificate.device }
  }

  /** The first device comes in by the recovery key. */
  found(label: string): OwnDevice {
    const own = this.device(label)
    this.#take(writeRecoveryOp(crypto, this.log, this.recovery, addArgs(own.certificate), this.#tick()))
    return own
  }

  add(by: OwnDevice, label: string): OwnDevice {
    const own = this.device(label)
    this.write(by, addArgs(own.certificate))
    return own
  }

  write(by: OwnDevice, args: KnownLogOpArgs): LogOp {
    const op = writeDeviceOp(crypto, this.log, by, args, this.#tick())
    this.#take(op)
    return op
  }

  revoke(by: OwnDevice, target: OwnDevice): LogOp {
    const cut = this.log.entries.filter(
      ({ op }) => op.by === Buffer.from(target.device).toString('hex'),
    ).length
    return this.write(by, { kind: 'revoke', device: target.device, cut })
  }

  renew(by: OwnDevice): LogOp {
    return this.write(by, { kind: 'renew', device: by.device, notAfterMs: this.#clockMs + 40 * dayMs })
  }

  bundle(own: OwnDevice, addresses = 8): Uint8Array {
    const expiresAtMs = nowMs + 10 * dayMs
    return issueBundle(crypto, own.identity, own.certificate, {
      signedPrekey: { id: 1, publicKey: crypto.dhKeyPair(bytesOf('spk')).publicKey, expiresAtMs },
      kemPrekey: { id: 1, publicKey: crypto.kemKeyPair(bytesOf('kpk', 64)).publicKey, expiresAtMs },
      addresses: Array.from({ length: addresses }, (_, i) => address(i)),
      relays: [address(80), address(81)],
      intro: { relay: address(80), writerSeed: bytesOf('intro') },
      seq: 1,
      expiresAtMs,
    }).bytes
  }

  #take(op: LogOp): void {
    const { log, rejected, held } = addOps(crypto, this.log, [op.bytes], nowMs)
    if (rejected.length + held.length > 0) throw new Error(rejected[0]?.reason ?? 'held')
    this.log = log
  }

  #tick(): number {
    return (this.#clockMs += 60_000)
  }
}

/** A realistic multiaddr of 80-odd characters. */
export const address = (i: number): string =>
  `/ip4/203.0.113.${i}/udp/4001/webrtc-direct/p2p/12D3KooWJAHvQzSoHJ6KwgoHxwwwnuYDvBnFcZQZrfLHNA6Xs1HG`

export const inviteOf = (home: Household, uses = 1): InviteState =>
  createInvite(crypto, {
    account: home.account,
    secret: new Secret(bytesOf(`${home.name}/link`, 16)),
    editSeed: new Secret(bytesOf(`${home.name}/edit`)),
    host: 'relay.example.org',
    addresses: [],
    nowMs,
    uses,
  })

/** A record by `own`, signed with its key unless the changes say another signs. */
export function recordBy(
  home: Household,
  own: OwnDevice,
  invite: InviteState,
  changes: Partial<InviteRecordTerms> = {},
  atMs = nowMs,
): Uint8Array {
  const terms: InviteRecordTerms = {
    invite,
    name: 'Ada',
    log: home.log,
    device: own.device,
    bundles: changes.bundles ?? [home.bundle(own)],
    intro: { relay: address(80), writerSeed: bytesOf('invite intro') },
    group: null,
    ...changes,
  }
  return writeInviteRecord(crypto, own.identity, terms, atMs)
}

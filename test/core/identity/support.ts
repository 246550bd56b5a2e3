/** Accounts, devices and operations for the tests of the identity room: real keys, seeds from labels. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import { Secret, type CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import {
  addArgs,
  addOps,
  createAccount,
  emptyLog,
  issueCertificate,
  recoveryKeys,
  resolveLog,
  signDeviceOp,
  signRecoveryOp,
  type Account,
  type CertificateTerms,
  type DeviceCertificate,
  type DeviceKeys,
  type DeviceLog,
  type KnownLogOpArgs,
  type LogOp,
  type LogOpId,
  type LogState,
  type RecoveryKeys,
} from '../../../packages/core/src/identity/index.ts'
import { toHex, utf8 } from '../../../packages/core/src/wire/index.ts'

export const crypto: CryptoProvider = await createNodeProvider()
export const dayMs = 24 * 60 * 60 * 1000
/** The time all operations of the tests are written about. */
export const startMs = Date.UTC(2026, 0, 1)
/** A clock later than every operation. */
export const laterMs = startMs + 400 * dayMs

/** 32 bytes of a label. */
export const seedOf = (label: string): Uint8Array => crypto.sha256(utf8(label))

export interface TestDevice extends DeviceKeys {
  readonly name: string
  readonly certificate: DeviceCertificate
  readonly device: DeviceCertificate['device']
  readonly key: string
}

export function makeAccount(label: string): { readonly account: Account; readonly recovery: RecoveryKeys } {
  const recovery = recoveryKeys(crypto, new Secret(seedOf(`${label} recovery`)))
  return { account: createAccount(crypto, recovery.sign.publicKey, seedOf(`${label} nonce`)), recovery }
}

export function makeDevice(
  account: Account,
  name: string,
  terms: Partial<CertificateTerms> = {},
): TestDevice {
  const label = `${toHex(account.id)} ${name}`
  const keys = {
    identity: crypto.signKeyPair(seedOf(`${label} identity`)),
    agreement: crypto.dhKeyPair(seedOf(`${label} agreement`)),
  }
  const certificate = issueCertificate(crypto, account.id, keys, {
    transportKey: crypto.signKeyPair(seedOf(`${label} transport`)).publicKey,
    suite: 1,
    minSuite: 1,
    notBeforeMs: startMs,
    notAfterMs: startMs + 45 * dayMs,
    ...terms,
  })
  const { device } = certificate
  return { ...keys, name, certificate, device, key: toHex(device) }
}

/** Where an operation goes, when not simply after the author's last and the given ones. */
export interface Placing {
  /** Continue the author's chain from here instead of from its last: a fork. */
  readonly from?: LogOp | null
  readonly tsMs?: number
}

/** An account being written by hand: devices by name, operations with chosen pasts. */
export class Scene {
  readonly account: Account
  readonly recovery: RecoveryKeys
  readonly devices = new Map<string, TestDevice>()
  readonly ops: LogOp[] = []
  readonly last = new Map<string | null, LogOp>()
  #whole: { readonly key: string; readonly log: DeviceLog } | undefined
  /** Key of the recovery operations to come. */
  recoverySign: RecoveryKeys['sign']

  constructor(label: string) {
    const { account, recovery } = makeAccount(label)
    this.account = account
    this.recovery = recovery
    this.recoverySign = recovery.sign
  }

  device(name: string): TestDevice {
    const known = this.devices.get(name)
    if (known !== undefined) return known
    const made = makeDevice(this.account, name)
    this.devices.set(name, made)
    return made
  }

  /** Signs an operation of a named device, or of the recovery key (null), and puts it on the list. */
  write(by: string | null, args: KnownLogOpArgs, after: readonly LogOp[], placing: Placing = {}): LogOp {
    const before = placing.from === undefined ? this.last.get(by) : (placing.from ?? undefined)
    const named = new Map([...after, ...(before === undefined ? [] : [before])].map((op) => [op.key, op.id]))
    const prevHeads: readonly LogOpId[] = [...named.values()]
    const place = { account: this.account.id, prevHeads, tsMs: placing.tsMs ?? startMs + this.ops.length }
    const op =
      by === null
        ? signRecoveryOp(
            crypto,
            this.recoverySign,
            { rseq: (before?.seq ?? -1) + 1, rprev: before?.id ?? null },
            place,
            args,
          )
        : signDeviceOp(
            crypto,
            this.device(by),
            { device: this.device(by).device, selfSeq: (before?.seq ?? 0) + 1, selfPrev: before?.id ?? null },
            place,
            args,
          )
    this.ops.push(op)
    this.last.set(by, op)
    return op
  }

  add(by: string | null, name: string, after: readonly LogOp[], placing?: Placing): LogOp {
    return this.write(by, addArgs(this.device(name).certificate), after, placing)
  }

  revoke(by: string | null, name: string, cut: number, after: readonly LogOp[], placing?: Placing): LogOp {
    return this.write(by, { kind: 'revoke', device: this.device(name).device, cut }, after, placing)
  }

  renew(
    by: string | null,
    name: string,
    notAfterMs: number,
    after: readonly LogOp[],
    placing?: Placing,
  ): LogOp {
    return this.write(by, { kind: 'renew', device: this.device(name).device, notAfterMs }, after, placing)
  }

  unrevoke(revoke: LogOp, after: readonly LogOp[], placing?: Placing): LogOp {
    return this.write(null, { kind: 'unrevoke', revoke: revoke.id }, after, placing)
  }

  /** The log of some operations, or of all. */
  log(ops: readonly LogOp[] = this.ops): DeviceLog {
    if (ops !== this.ops) return logOfBytes(this.account, ops)
    const key = ops.map((op) => op.key).join()
    if (this.#whole?.key !== key) this.#whole = { key, log: logOfBytes(this.account, ops) }
    return this.#whole.log
  }

  state(ops?: readonly LogOp[]): LogState {
    return resolveLog(this.log(ops))
  }

  /** Names of the active devices, in order. */
  active(ops?: readonly LogOp[]): string {
    return this.names(this.state(ops).active.keys())
  }

  names(keys: Iterable<string>): string {
    const byKey = new Map([...this.devices.values()].map((device) => [device.key, device.name]))
    return [...keys]
      .map((key) => byKey.get(key) ?? '?')
      .sort()
      .join(' ')
  }
}

export function logOfBytes(account: Account, ops: readonly LogOp[]): DeviceLog {
  return addOps(
    crypto,
    emptyLog(account),
    ops.map((op) => op.bytes),
    laterMs,
  ).log
}

/** A state as one comparable string, everything in it included. */
export function digestOf(state: LogState): string {
  return JSON.stringify(state, (_, value: unknown) => {
    if (value instanceof Uint8Array) return toHex(value)
    return value instanceof Map ? [...(value as Map<string, unknown>)] : value
  })
}

/** A seeded generator of numbers below `n` (mulberry32). */
export function randomOf(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

export function shuffled<T>(list: readonly T[], random: (n: number) => number): T[] {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = random(i + 1)
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}

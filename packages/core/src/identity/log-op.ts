import {
  idOf,
  signAs,
  sizes,
  type CryptoProvider,
  type Signature,
  type SignKeyPair,
  type SignPublicKey,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  fields,
  frame,
  list,
  nullable,
  oneOf,
  openOneOf,
  toHex,
  uint,
  type Infer,
} from '../wire/index.ts'
import type { AccountId, DeviceId, LogOpId } from './ids.ts'
import { accountIdShape, deviceIdShape, logOpIdShape } from './ids.ts'
import { certificateShape, type DeviceCertificate, type DeviceKeys } from './certificate.ts'

const argsShape = openOneOf({
  /** A new device. */
  add: [1, { certificate: certificateShape }],
  /** A device is out, with its operations outside the past of this one or numbered above `cut` (0: all). */
  revoke: [2, { device: deviceIdShape, cut: uint() }],
  /** A device's certificate lives until then. */
  renew: [3, { device: deviceIdShape, notAfterMs: uint() }],
  /** The author's own transport key and suites. */
  rotate: [
    4,
    { transportKey: bytes<SignPublicKey>(sizes.signPublic), suite: uint(255), minSuite: uint(255) },
  ],
  /** Recovery only: the key of the recovery operations that follow. */
  setRecovery: [5, { recoveryPublic: bytes<SignPublicKey>(sizes.signPublic) }],
  /** Recovery only: the named revoke does not count. */
  unrevoke: [6, { revoke: logOpIdShape }],
})

const authorShape = oneOf({
  device: [1, { device: deviceIdShape, selfSeq: uint(), selfPrev: nullable(logOpIdShape) }],
  recovery: [2, { rseq: uint(), rprev: nullable(logOpIdShape) }],
})

const bodyFrame = frame(
  'device-log-body',
  fields({
    account: accountIdShape,
    args: argsShape,
    prevHeads: list(logOpIdShape, limits.deviceLogHeads),
    author: authorShape,
    tsMs: uint(),
  }),
  limits.deviceLogOpBytes,
)

const opFrame = frame(
  'device-log-op',
  fields({
    body: bytesBetween(1, limits.deviceLogOpBytes),
    signature: bytes<Signature>(sizes.signature),
  }),
  limits.deviceLogOpBytes,
)

/** What an operation does. */
export type LogOpArgs = Infer<typeof argsShape>
/** What an operation of this version does. */
export type KnownLogOpArgs = Exclude<LogOpArgs, { readonly kind: 'unknown' }>
/** Who wrote an operation: a device, numbered from 1, or the recovery key, numbered from 0. */
export type LogOpAuthor = Infer<typeof authorShape>

/** A decoded operation with its exact bytes. Decoding proves nothing: `addOps` verifies. */
export interface LogOp {
  readonly bytes: Uint8Array
  readonly body: Uint8Array
  readonly signature: Signature
  readonly id: LogOpId
  /** Hexadecimal of `id`. */
  readonly key: string
  readonly account: AccountId
  readonly args: LogOpArgs
  readonly prevHeads: readonly LogOpId[]
  readonly author: LogOpAuthor
  /** Hexadecimal of the authoring device, or null for the recovery key. */
  readonly by: string | null
  /** Its number: selfSeq or rseq. */
  readonly seq: number
  /** The author's clock, Unix milliseconds. */
  readonly tsMs: number
}

/** Type under which operations are signed. */
export const logOpSignatureType = 'device-log-op'

/** Reads an operation without judging it; undefined for bytes that are none. */
export function readLogOp(crypto: CryptoProvider, input: Uint8Array): LogOp | undefined {
  const outer = opFrame.decode(input)
  if (!outer.ok) return undefined
  const body = bodyFrame.decode(outer.value.body)
  if (!body.ok || !ascending(body.value.prevHeads)) return undefined
  const id = idOf(crypto, 'device-log-op', outer.value.body) as LogOpId
  const { author } = body.value
  const device = author.kind === 'device'
  return {
    ...outer.value,
    ...body.value,
    ...{ bytes: input, id, key: toHex(id) },
    by: device ? toHex(author.device) : null,
    seq: device ? author.selfSeq : author.rseq,
  }
}

/** Where a new operation goes: after these heads and the author's own last one. */
export interface LogPlace {
  readonly account: AccountId
  /** Everything the author knows: ids no other operation names. */
  readonly prevHeads: readonly LogOpId[]
  readonly tsMs: number
}

/** Signs an operation as a device; `selfSeq` starts at 1, `selfPrev` is the device's last operation. */
export function signDeviceOp(
  crypto: CryptoProvider,
  own: Pick<DeviceKeys, 'identity'>,
  author: { readonly device: DeviceId; readonly selfSeq: number; readonly selfPrev: LogOpId | null },
  place: LogPlace,
  args: KnownLogOpArgs,
): LogOp {
  return signOp(crypto, own.identity, { kind: 'device', ...author }, place, args)
}

/** Signs an operation with the recovery key; `rseq` starts at 0 with the add of the first device. */
export function signRecoveryOp(
  crypto: CryptoProvider,
  recovery: SignKeyPair,
  author: { readonly rseq: number; readonly rprev: LogOpId | null },
  place: LogPlace,
  args: KnownLogOpArgs,
): LogOp {
  return signOp(crypto, recovery, { kind: 'recovery', ...author }, place, args)
}

function signOp(
  crypto: CryptoProvider,
  key: SignKeyPair,
  author: LogOpAuthor,
  place: LogPlace,
  args: KnownLogOpArgs,
): LogOp {
  const prevHeads = [...place.prevHeads].sort(compareIds)
  const body = bodyFrame.encode({ ...place, prevHeads, author, args })
  const signature = signAs(crypto, key, logOpSignatureType, place.account, body)
  const op = readLogOp(crypto, opFrame.encode({ body, signature }))
  if (op === undefined) throw new UsageError('E_LOG_OP', 'heads repeat themselves')
  return op
}

/** The arguments of an add. */
export const addArgs = (certificate: DeviceCertificate): KnownLogOpArgs => ({
  kind: 'add',
  certificate: certificate.bytes,
})

const compareIds = (a: Uint8Array, b: Uint8Array): number => compareHex(toHex(a), toHex(b))
const compareHex = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Heads are in byte order without repeats, so that one set of heads has one encoding. */
const ascending = (heads: readonly Uint8Array[]): boolean =>
  heads.every((head, i) => {
    const before = heads[i - 1]
    return before === undefined || compareIds(before, head) < 0
  })

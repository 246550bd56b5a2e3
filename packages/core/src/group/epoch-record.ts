import {
  idOf,
  signAs,
  sizes,
  verifyAs,
  type CryptoProvider,
  type SignKeyPair,
  type SignPublicKey,
  type Signature,
} from '../crypto/index.ts'
import { accountIdShape, deviceIdShape } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, fields, frame, list, nullable, oneOf, uint, type Infer } from '../wire/index.ts'

/** Why an epoch was begun: said for people and diagnostics, never judged. */
export const epochReasons = {
  first: 0,
  devices: 1,
  age: 2,
  count: 3,
  turn: 4,
  unseeded: 5,
  doubt: 6,
} as const
export type EpochReason = keyof typeof epochReasons

const id = bytes(sizes.hash)

/** A device at the heads that gets no seed: its certificate had run out, or it signed two operations with one number. */
const exclusion = oneOf({
  expired: [0, { account: accountIdShape, device: deviceIdShape }],
  forked: [
    1,
    {
      account: accountIdShape,
      device: deviceIdShape,
      proof: bytesBetween(1, 2 * limits.deviceLogOpBytes + 512),
    },
  ],
})
export type EpochExclusion = Infer<typeof exclusion>

const context = {
  conversation: id,
  parents: list(id, limits.epochParents),
  /** Membership heads; they and the exclusions give the recipients. */
  groupHeads: list(id, limits.epochHeads),
  excluded: list(exclusion, limits.epochDevices),
  depth: uint(),
  /** Null for an epoch with a topic and queue of its own; else the routing epoch a turn rides on. */
  route: nullable(id),
  /** Whether those who join later may be given what is written under this epoch. */
  history: uint(1),
  reason: uint(255),
  account: accountIdShape,
  device: deviceIdShape,
  /** `aseq` of the author's first record under this epoch. */
  base: uint(),
  timestampMs: uint(),
}

/** What an author states of an epoch before its secret exists. Times are Unix milliseconds. */
export type EpochTerms = Infer<typeof contextShape>
const contextShape = fields(context)
const contextFrame = frame('epoch-context', contextShape, limits.epochRecordBytes)
const statementFrame = frame('epoch', fields({ ...context, commitment: id }), limits.epochRecordBytes)
const recordFrame = frame(
  'epoch-record',
  fields({
    statement: bytesBetween(1, limits.epochRecordBytes - 128),
    signature: bytes<Signature>(sizes.signature),
  }),
  limits.epochRecordBytes,
)

/** An epoch record that is canonical; whether its signature holds, `verifyEpoch` says. */
export interface EpochRecord {
  /** `Id("epoch", statement)`, 32 bytes. */
  readonly id: Uint8Array
  /** Everything but commitment and signature, hashed: what the secret's derivations are bound to. */
  readonly context: Uint8Array
  readonly terms: EpochTerms
  readonly commitment: Uint8Array
  readonly signature: Signature
  /** The exact bytes that travel. */
  readonly bytes: Uint8Array
}

/** Hash of an epoch's terms: `Id("epoch-context", terms)`. */
export const contextOf = (crypto: CryptoProvider, terms: EpochTerms): Uint8Array =>
  idOf(crypto, 'epoch-context', contextFrame.encode(terms))

/** Signs the record of an epoch whose secret has this commitment. */
export function issueEpoch(
  crypto: CryptoProvider,
  own: SignKeyPair,
  terms: EpochTerms,
  commitment: Uint8Array,
): EpochRecord {
  const statement = statementFrame.encode({ ...terms, commitment })
  const epoch = idOf(crypto, 'epoch', statement)
  const signature = signAs(crypto, own, 'epoch', terms.conversation, epoch)
  return {
    id: epoch,
    context: contextOf(crypto, terms),
    terms,
    commitment,
    signature,
    bytes: recordFrame.encode({ statement, signature }),
  }
}

/** Reads an epoch record; undefined unless it is canonical throughout. The signature is not checked. */
export function readEpoch(crypto: CryptoProvider, input: Uint8Array): EpochRecord | undefined {
  const outer = recordFrame.decode(input)
  if (!outer.ok) return undefined
  const { statement, signature } = outer.value
  const inner = statementFrame.decode(statement)
  if (!inner.ok) return undefined
  const { commitment, ...terms } = inner.value
  return {
    id: idOf(crypto, 'epoch', statement),
    context: contextOf(crypto, terms),
    terms,
    commitment,
    signature,
    bytes: input,
  }
}

/** Whether the author's device signed exactly this record. */
export const verifyEpoch = (crypto: CryptoProvider, author: SignPublicKey, record: EpochRecord): boolean =>
  verifyAs(crypto, author, 'epoch', record.terms.conversation, record.id, record.signature)

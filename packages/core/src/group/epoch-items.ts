import {
  signAs,
  sizes,
  verifyAs,
  type CryptoProvider,
  type SignKeyPair,
  type SignPublicKey,
  type Signature,
} from '../crypto/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { bytes, encodeCbor, fields, frame, uint, type Infer } from '../wire/index.ts'

const id = bytes(sizes.hash)

/** An epoch's secret on its way to one device, inside that device's session and nowhere else. */
export const seedFields = { epoch: id, context: id, secret: bytes(sizes.seed) } as const
/** Says that a seed arrived and keyed its epoch. */
export const seedAckFields = { epoch: id } as const
/** Asks an epoch's author, and nobody else, for its seed. */
export const seedRequestFields = { epoch: id } as const

/** The pairwise items as frames of their own; a payload names their fields instead. */
const seedShape = fields(seedFields)
export const seedFrame = frame('seed', seedShape, 128)
export const seedAckFrame = frame('seed-ack', fields(seedAckFields), 64)
export const seedRequestFrame = frame('seed-request', fields(seedRequestFields), 64)
export type Seed = Infer<typeof seedShape>

/** Where a device's generations of one epoch begin: it seals record `aseq` as generation `aseq − base`. */
export const slotBaseShape = fields({ epoch: id, base: uint(), signature: bytes<Signature>(sizes.signature) })
export type SlotBase = Infer<typeof slotBaseShape>

const slotContent = (epoch: Uint8Array, device: DeviceAddress, base: number): Uint8Array =>
  encodeCbor([epoch, device.account, device.device, base])

/** States the base of this device in an epoch: signed as "slot" in the context of the conversation. */
export const issueSlotBase = (
  crypto: CryptoProvider,
  own: SignKeyPair,
  conversation: Uint8Array,
  epoch: Uint8Array,
  self: DeviceAddress,
  base: number,
): SlotBase => ({
  epoch,
  base,
  signature: signAs(crypto, own, 'slot', conversation, slotContent(epoch, self, base)),
})

/** Whether the device itself stated this base. */
export const verifySlotBase = (
  crypto: CryptoProvider,
  author: SignPublicKey,
  conversation: Uint8Array,
  device: DeviceAddress,
  slot: SlotBase,
): boolean =>
  verifyAs(crypto, author, 'slot', conversation, slotContent(slot.epoch, device, slot.base), slot.signature)

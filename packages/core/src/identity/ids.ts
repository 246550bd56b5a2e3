import { bytes, concat, equalBytes, toHex } from '../wire/index.ts'
import { sizes } from '../crypto/index.ts'

declare const brand: unique symbol
type Branded<B extends string> = Uint8Array & { readonly [brand]: B }

/** An account: the id of its genesis, 32 bytes. No device enters it, so it outlives every change of devices. */
export type AccountId = Branded<'account-id'>
/** A device of one account: the id of account, identity key and agreement key, 32 bytes. */
export type DeviceId = Branded<'device-id'>
/** A device-log operation: the id of its body without the signature, 32 bytes. */
export type LogOpId = Branded<'log-op-id'>

/** A device as everything names it: never a device id alone, for one account's log says nothing of another's. */
export interface DeviceAddress {
  readonly account: AccountId
  readonly device: DeviceId
}

/** Shapes of the ids, for the frames of this and other rooms. */
export const accountIdShape = bytes<AccountId>(sizes.hash)
export const deviceIdShape = bytes<DeviceId>(sizes.hash)
export const logOpIdShape = bytes<LogOpId>(sizes.hash)

/** Whether two addresses name one device; every byte of both ids is compared. */
export const sameDevice = (a: DeviceAddress, b: DeviceAddress): boolean =>
  equalBytes(a.account, b.account) && equalBytes(a.device, b.device)

/** Key of a device for maps and sets: hexadecimal of account id and device id, 128 characters. */
export const addressKey = (address: DeviceAddress): string => toHex(concat(address.account, address.device))

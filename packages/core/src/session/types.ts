import type { DhKeyPair } from '../crypto/index.ts'
import type { DeviceCertificate, DeviceKeys, IssuedBundle, OwnPrekeys } from '../identity/index.ts'

/** This device as initiator or responder of a handshake. */
export interface OwnDevice {
  /** The certificate that the published bundles carry. */
  readonly certificate: DeviceCertificate
  readonly keys: DeviceKeys
}

/** One bundle of this device with the private halves behind it, as `findPrekeys` gives it for a bundle tag. */
export interface BundlePrekeys {
  readonly bundle: Pick<IssuedBundle, 'bytes' | 'hash'>
  readonly own: OwnPrekeys
  /** The one-time prekey a first flight names, if this device has it. */
  readonly oneTime?: { readonly id: number; readonly keyPair: DhKeyPair } | undefined
}

/** Suites this build speaks. */
export const suites: readonly number[] = [1]

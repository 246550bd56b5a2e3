import { Secret, type CryptoProvider } from '../crypto/index.ts'

/** Input of the message key (The Double Ratchet Algorithm rev. 4, §7.2). */
const messageInput = Uint8Array.of(1)
/** Input of the next chain key. */
const chainInput = Uint8Array.of(2)

/** The message key of one chain key: `HMAC(CK, 0x01)`, 32 bytes, for one message. */
export const messageKeyOf = (crypto: CryptoProvider, chainKey: Secret): Uint8Array =>
  crypto.hmacSha256(chainKey.expose(), messageInput)

/** The chain key that follows: `HMAC(CK, 0x02)`. */
export const nextChainKey = (crypto: CryptoProvider, chainKey: Secret): Secret =>
  new Secret(crypto.hmacSha256(chainKey.expose(), chainInput))

/** Overwrites a message key that has done its one job. */
export const wipeKey = (key: Uint8Array): void => {
  key.fill(0)
}

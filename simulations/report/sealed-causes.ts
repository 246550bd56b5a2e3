import { unpad, type CryptoProvider } from '@sotto/core/crypto'
import { payloadFrame, type Payload, type PayloadItem } from '../../packages/core/src/device/payload.ts'

const causeOf: Readonly<Record<PayloadItem['kind'], string>> = {
  records: 'signed records',
  got: 'acknowledgements',
  read: 'acknowledgements',
  cardGot: 'acknowledgements',
  groupGot: 'acknowledgements',
  seedAck: 'acknowledgements',
  card: 'cards and device logs',
  logOps: 'cards and device logs',
  logNeed: 'cards and device logs',
  account: 'cards and device logs',
  refused: 'cards and device logs',
  group: 'membership and epochs',
  siblings: 'membership and epochs',
  seed: 'membership and epochs',
  join: 'membership and epochs',
  joinAnswer: 'membership and epochs',
  epochLog: 'membership and epochs',
  sync: 'sync',
  unknown: 'other',
}

/** Stands before the provider and counts what the bytes of session frames are. It changes nothing. */
export class SealedCauses {
  readonly bytes: Record<string, number> = {}
  #lastNonce: Uint8Array | undefined
  #lastSealedBytes = 0

  /** The provider a process is given. */
  readonly wrap = (inner: CryptoProvider): CryptoProvider => ({
    ...inner,
    seal: (key, nonce, plaintext, associated) => {
      const sealed = inner.seal(key, nonce, plaintext, associated)
      this.#note(nonce, plaintext, sealed)
      return sealed
    },
  })

  #note(nonce: Uint8Array, padded: Uint8Array, sealed: Uint8Array): void {
    // A header is sealed just before its body, under the same nonce.
    const header = this.#lastNonce === nonce ? this.#lastSealedBytes : 0
    this.#lastNonce = nonce
    this.#lastSealedBytes = sealed.length
    const plaintext = unpad(padded)
    const decoded = plaintext === undefined ? undefined : payloadFrame.decode(plaintext)
    if (plaintext === undefined || decoded?.ok !== true) return
    this.#add('padding', padded.length - plaintext.length)
    this.#add('headers, nonces, tags', header + nonce.length + sealed.length - padded.length)
    this.#addPayload(decoded.value, plaintext.length)
  }

  #addPayload(payload: Payload, bytes: number): void {
    const sizeOf = (items: readonly PayloadItem[]): number =>
      payloadFrame.encode({ ...payload, items }).length
    const bare = sizeOf([])
    let rest = bytes
    for (const item of payload.items) {
      const whole = sizeOf([item]) - bare
      const texts =
        item.kind === 'records'
          ? item.records.reduce((sum, { said }) => sum + (said?.body.length ?? 0), 0)
          : 0
      this.#add('texts', texts)
      this.#add(causeOf[item.kind], whole - texts)
      rest -= whole
    }
    this.#add('heads of payloads', rest)
  }

  #add(cause: string, bytes: number): void {
    if (bytes > 0) this.bytes[cause] = (this.bytes[cause] ?? 0) + bytes
  }
}

import { pad, unpad, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { payloadFrame, type Payload, type PayloadItem } from '../../packages/core/src/device/payload.ts'
import type { Person, Town } from './devices.ts'

/** Somebody with real keys and sessions who says in them what no device would. */
export class Liar {
  readonly name: string
  /** What the liar's own device wanted to say. */
  readonly said: PayloadItem[] = []
  readonly payloads: (readonly PayloadItem[])[] = []
  /** Plaintexts of the payloads it wanted to send. */
  readonly plaintexts: Uint8Array[] = []
  #rewrite: ((payload: Payload) => Uint8Array) | undefined
  #left = 0

  constructor(name: string) {
    this.name = name
  }

  /** To be a town's `provider`: all but the liar get the honest one. */
  readonly provider = (crypto: CryptoProvider, name: string): CryptoProvider =>
    name === this.name ? this.#lying(crypto) : crypto

  #lying(inner: CryptoProvider): CryptoProvider {
    return {
      ...inner,
      seal: (key, nonce, plaintext, associated) => {
        const open = unpad(plaintext)
        const payload = open === undefined ? undefined : payloadFrame.decode(open)
        if (payload?.ok !== true) return inner.seal(key, nonce, plaintext, associated)
        this.said.push(...payload.value.items)
        this.payloads.push(payload.value.items)
        if (open !== undefined) this.plaintexts.push(open)
        if (this.#rewrite === undefined || this.#left === 0)
          return inner.seal(key, nonce, plaintext, associated)
        this.#left -= 1
        return inner.seal(key, nonce, pad(this.#rewrite(payload.value)), associated)
      },
    }
  }

  /** What the next payload carries in place of its items; something makes the device speak. */
  async say(town: Town, items: readonly PayloadItem[], speak: () => Promise<unknown>): Promise<void> {
    await this.#sayAs(town, (payload) => payloadFrame.encode({ ...payload, items }), speak)
  }

  /** What the next payload is, byte for byte. */
  async utter(town: Town, plaintext: Uint8Array, speak: () => Promise<unknown>): Promise<void> {
    await this.#sayAs(town, () => plaintext, speak)
  }

  async #sayAs(
    town: Town,
    rewrite: (payload: Payload) => Uint8Array,
    speak: () => Promise<unknown>,
  ): Promise<void> {
    this.#rewrite = rewrite
    this.#left = 1
    await speak()
    await town.pass(3_000)
    this.#rewrite = undefined
  }
}

/** The account of a person's device. */
export const accountOf = async ({ device }: Person): Promise<string> =>
  (await device.view('self', {}))!.accountId

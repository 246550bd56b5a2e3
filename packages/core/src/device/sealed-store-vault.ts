import { kdf, noSalt, Secret, sizes, type CryptoProvider } from '../crypto/index.ts'
import type { Random } from '../ports/index.ts'
import { concat, equalBytes, utf8 } from '../wire/index.ts'
import { rowBytes, sumBytes, tableBytes, tagBytes } from './sealed-store-codec.ts'

/** Version of everything below; a higher one is refused as newer. */
export const formatVersion = 1

const magic = utf8('SOTTO')
const checksumBytes = 8
const eraBytes = 16
const generationBytes = 6
const markLabel = utf8('mark')

/** Where a logical row lies. */
export interface Address {
  readonly table: Uint8Array
  readonly row: Uint8Array
  /** `table ‖ row`. */
  readonly dbKey: Uint8Array
  /** The row's name in the totals of its table; never written as such. */
  readonly secretName: Uint8Array
}

/** Where the store keeps its own rows. */
export interface OwnKeys {
  readonly format: Uint8Array
  readonly head: Uint8Array
  readonly journalPrefix: Uint8Array
}

/** What a format row is. */
export type FormatCheck = 'ours' | 'damaged' | 'newer' | 'other-key'

/**
 * Keys, addresses and seals of one store. A nonce is 16 random bytes drawn for this opening, then what
 * makes it unique within: generation and index for rows, a counter for the store's own rows. Each has its
 * own key.
 */
export class Vault {
  readonly #crypto: CryptoProvider
  readonly #random: Random
  readonly #tableKey: Secret
  readonly #rowKey: Secret
  readonly #valueKey: Secret
  readonly #ownKey: Secret
  readonly #tables = new Map<string, Uint8Array>()
  readonly #pagePrefix: Uint8Array
  readonly #rootPrefixes: readonly Uint8Array[]
  readonly own: OwnKeys
  #era: Uint8Array
  #counter = 0

  constructor(crypto: CryptoProvider, random: Random, key: Secret) {
    const sub = (name: string): Secret =>
      new Secret(kdf(crypto, noSalt, key.expose(), `store/${name}`, [formatVersion]))
    this.#crypto = crypto
    this.#random = random
    this.#tableKey = sub('table')
    this.#rowKey = sub('row')
    this.#valueKey = sub('value')
    this.#ownKey = sub('own')
    this.#era = random.bytes(eraBytes)
    const prefix = (name: string): Uint8Array => this.#table(`\0${name}`)
    this.#pagePrefix = prefix('page')
    this.#rootPrefixes = [prefix('root a'), prefix('root b')]
    this.own = {
      format: utf8('sotto-store'),
      head: concat(prefix('head'), new Uint8Array(1)),
      journalPrefix: prefix('journal'),
    }
  }

  /** Random bytes never repeat, counters may: after a batch of unknown fate the next seals get a new era. */
  renewEra(): void {
    this.#era = this.#random.bytes(eraBytes)
  }

  address(tableName: string, key: Uint8Array): Address {
    const table = this.#table(tableName)
    const mac = this.#crypto.hmacSha256(this.#rowKey.expose(), concat(table, key))
    const row = mac.subarray(0, rowBytes)
    return { table, row, dbKey: concat(table, row), secretName: mac.subarray(rowBytes, rowBytes + sumBytes) }
  }

  /** The common prefix of a table's database keys. */
  tablePrefix(tableName: string): Uint8Array {
    return this.#table(tableName)
  }

  /** Where the journal row of a generation lies. */
  journalKey(generation: number): Uint8Array {
    return numbered(this.own.journalPrefix, generation)
  }

  /** Where the two copies of the root of a checkpoint lie, far apart. */
  rootKeys(checkpoint: number): readonly Uint8Array[] {
    return this.#rootPrefixes.map((prefix) => numbered(prefix, checkpoint))
  }

  /** Where a page of a mutable table's manifest lies. */
  pageKey(table: Uint8Array, bits: number, index: number): Uint8Array {
    return concat(this.#pagePrefix, table, Uint8Array.of(bits, index >>> 16, index >>> 8, index))
  }

  /** Seals a row: `nonce ‖ ciphertext ‖ tag`, bound to its database key and generation. */
  sealRow(dbKey: Uint8Array, generation: number, index: number, content: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(sizes.aeadNonce)
    nonce.set(this.#era)
    writeGeneration(nonce, eraBytes, generation)
    nonce[22] = index >>> 8
    nonce[23] = index & 255
    const aad = concat(dbKey, nonce.subarray(eraBytes, eraBytes + generationBytes))
    return concat(nonce, this.#crypto.seal(this.#valueKey.expose(), nonce, content, aad))
  }

  openRow(dbKey: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < sizes.aeadNonce + sizes.aeadTag) return undefined
    const nonce = sealed.subarray(0, sizes.aeadNonce)
    const aad = concat(dbKey, nonce.subarray(eraBytes, eraBytes + generationBytes))
    return this.#crypto.open(this.#valueKey.expose(), nonce, sealed.subarray(sizes.aeadNonce), aad)
  }

  /** Seals one of the store's own rows under its key. */
  sealOwn(dbKey: Uint8Array, content: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(sizes.aeadNonce)
    nonce.set(this.#era)
    writeGeneration(nonce, eraBytes + 2, ++this.#counter)
    return concat(nonce, this.#crypto.seal(this.#ownKey.expose(), nonce, content, dbKey))
  }

  openOwn(dbKey: Uint8Array, sealed: Uint8Array | undefined): Uint8Array | undefined {
    if (sealed === undefined || sealed.length < sizes.aeadNonce + sizes.aeadTag) return undefined
    const nonce = sealed.subarray(0, sizes.aeadNonce)
    return this.#crypto.open(this.#ownKey.expose(), nonce, sealed.subarray(sizes.aeadNonce), dbKey)
  }

  sealMark(content: Uint8Array): Uint8Array {
    return this.sealOwn(markLabel, content)
  }

  openMark(sealed: Uint8Array | undefined): Uint8Array | undefined {
    return this.openOwn(markLabel, sealed)
  }

  /** `magic ‖ version ‖ sealed nothing ‖ checksum`: says what this is without a key, and whether a key fits. */
  formatRow(): Uint8Array {
    const body = concat(magic, Uint8Array.of(formatVersion), this.sealOwn(this.own.format, new Uint8Array(0)))
    return concat(body, this.#checksum(body))
  }

  checkFormat(row: Uint8Array | undefined): FormatCheck {
    if (row === undefined || row.length < magic.length + 1 + checksumBytes) return 'damaged'
    const body = row.subarray(0, row.length - checksumBytes)
    if (!equalBytes(this.#checksum(body), row.subarray(row.length - checksumBytes))) return 'damaged'
    if (!equalBytes(body.subarray(0, magic.length), magic)) return 'damaged'
    if ((body[magic.length] ?? 0) > formatVersion) return 'newer'
    return this.openOwn(this.own.format, body.subarray(magic.length + 1)) === undefined ? 'other-key' : 'ours'
  }

  /** Link of the journal's chain, and name of a root. */
  digest(content: Uint8Array): Uint8Array {
    return this.#crypto.sha256(content)
  }

  wipe(): void {
    for (const key of [this.#tableKey, this.#rowKey, this.#valueKey, this.#ownKey]) key.wipe()
  }

  #checksum(body: Uint8Array): Uint8Array {
    return this.#crypto.sha256(body).subarray(0, checksumBytes)
  }

  #table(name: string): Uint8Array {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const prefix = this.#crypto.hmacSha256(this.#tableKey.expose(), utf8(name)).slice(0, tableBytes)
    this.#tables.set(name, prefix)
    return prefix
  }
}

/** The generation a sealed row was written in. */
export function generationOf(sealed: Uint8Array): number {
  let value = 0
  for (let i = eraBytes; i < eraBytes + generationBytes; i++) value = value * 256 + (sealed[i] ?? 0)
  return value
}

/** The part of a sealed row that tells it from every other version. */
export const tagOf = (sealed: Uint8Array): Uint8Array =>
  sealed.slice(sealed.length - sizes.aeadTag, sealed.length - sizes.aeadTag + tagBytes)

function numbered(prefix: Uint8Array, generation: number): Uint8Array {
  const key = new Uint8Array(tableBytes + generationBytes)
  key.set(prefix)
  writeGeneration(key, tableBytes, generation)
  return key
}

function writeGeneration(target: Uint8Array, at: number, value: number): void {
  let rest = value
  for (let i = at + generationBytes - 1; i >= at; i--) {
    target[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

import { Secret } from '../crypto/index.ts'
import { InvariantError } from '../errors.ts'
import { bytes, concat, frame } from '../wire/index.ts'
import type { Shape } from '../wire/index.ts'
import type { Table } from './sealed-store-types.ts'

/**
 * A table whose rows have a type. Resident tables are small and kept decoded in memory; of a table whose rows are
 * asked for again soon after they were written, and hold nothing secret, the last few are.
 */
export interface Rows<T> extends Table {
  readonly resident: boolean
  readonly lately?: boolean
  /** Others have its rows too: a damaged one is left out when the home opens, and asked for again. */
  readonly held?: 'elsewhere'
  readonly encode: (value: T) => Uint8Array
  readonly decode: (row: Uint8Array) => T
}

/** A typed table where its type does not matter. */
export interface AnyRows extends Table {
  readonly resident: boolean
  readonly lately?: boolean
  readonly held?: 'elsewhere'
  readonly encode: (value: never) => Uint8Array
  readonly decode: (row: Uint8Array) => unknown
}

/** Code of the error for a row that cannot be written. */
export const rowLimit = 'E_ROW_LIMIT'

/** Largest row, unless a table says otherwise; bounds what one damaged length can make the device allocate. */
const rowBytes = 4 * 1024 * 1024

/** Declares a table. A row that authenticates and does not decode is a bug of ours, not damage. */
export function rows<T>(
  name: string,
  shape: Shape<T>,
  options: Pick<Rows<T>, 'kind' | 'resident' | 'lately' | 'held'>,
  maxBytes: number = rowBytes,
): Rows<T> {
  const codec = frame(name, shape, maxBytes)
  return {
    name,
    ...options,
    encode: (value) => {
      try {
        return codec.encode(value)
      } catch (cause) {
        throw new InvariantError(rowLimit, `a row of ${name} is beyond its limits`, { cause })
      }
    },
    decode: (row) => {
      const decoded = codec.decode(row)
      if (!decoded.ok) throw new InvariantError('E_ROW', `row of ${name}: ${decoded.reason}`)
      return decoded.value
    },
  }
}

/** Secret bytes in a row: wrapped as soon as they are read. */
export const secretBytes = (length: number): Shape<Secret> => {
  const inner = bytes(length)
  return {
    write: (to, value) => {
      inner.write(to, value.expose())
    },
    read: (from) => new Secret(inner.read(from)),
  }
}

/** Eight bytes, big-endian: numbers as parts of keys. */
export function counterKey(value: number): Uint8Array {
  const out = new Uint8Array(8)
  const view = new DataView(out.buffer)
  view.setUint32(0, Math.floor(value / 0x1_0000_0000))
  view.setUint32(4, value >>> 0)
  return out
}

/** Key of a segment's rows. */
export const segmentKey = (conversation: Uint8Array, segment: number): Uint8Array =>
  concat(conversation, counterKey(segment))

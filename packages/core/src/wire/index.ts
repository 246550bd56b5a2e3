export {
  bool,
  bytes,
  bytesBetween,
  fields,
  list,
  literal,
  nullable,
  oneOf,
  openOneOf,
  text,
  uint,
} from './shape.ts'
export type { Cbor, Infer, Shape, UnknownCase } from './shape.ts'
export { compareBytes, encodeCbor, equalBytes, frame } from './frame.ts'
export type { Decoded, DecodeFailure, Frame } from './frame.ts'
export { concat, idKey, utf8 } from './bytes.ts'
export {
  fromBase32,
  fromBase64Url,
  fromHex,
  shortId,
  toBase32,
  toBase58,
  toBase64Url,
  toHex,
} from './text.ts'

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
export type { Infer, Shape, UnknownCase } from './shape.ts'
export { encodeCbor, frame, lendCbor } from './frame.ts'
export type { Cbor, Decoded, Frame } from './frame.ts'
export type { DecodeFailure } from './cbor-reader.ts'
export { compareBytes, concat, equalBytes, idKey } from './bytes.ts'
export { utf8 } from './utf8.ts'
export {
  fromBase32,
  fromBase64Url,
  fromHex,
  idHex,
  shortId,
  toBase32,
  toBase58,
  toBase64Url,
  toHex,
} from './text.ts'

import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { sealedHeaderBytes } from './header.ts'

/** Second field of every session frame: what follows is a ratchet message. */
export const ratchetKind = 1
/** Second field of every session frame: a handshake precedes the ratchet message. */
export const handshakeKind = 2

const version = 1
const arrayOfFour = 0x84
const byteString = 0x40

/**
 * A ratchet message on the wire: deterministic CBOR `[1, 1, nonce24‖sealedHeader, sealedBody]`. Written and
 * read by hand because it is on the path of every message; tests hold it equal to the same frame declared
 * with the wire room's combinators.
 */
export interface RatchetFrame {
  readonly nonce: Uint8Array
  readonly sealedHeader: Uint8Array
  readonly sealedBody: Uint8Array
}

/** Writes a ratchet frame. */
export function encodeRatchetFrame(frame: RatchetFrame): Uint8Array {
  const head = sizes.aeadNonce + frame.sealedHeader.length
  const body = frame.sealedBody.length
  const out = new Uint8Array(3 + stringHeadLength(head) + head + stringHeadLength(body) + body)
  out[0] = arrayOfFour
  out[1] = version
  out[2] = ratchetKind
  let at = writeStringHead(out, 3, head)
  out.set(frame.nonce, at)
  out.set(frame.sealedHeader, at + sizes.aeadNonce)
  at = writeStringHead(out, at + head, body)
  out.set(frame.sealedBody, at)
  return out
}

/** Reads a ratchet frame; undefined unless it is one, in its one encoding and within `limits.frameBytes`. */
export function decodeRatchetFrame(input: Uint8Array): RatchetFrame | undefined {
  if (input.length > limits.frameBytes) return undefined
  if (input[0] !== arrayOfFour || input[1] !== version || input[2] !== ratchetKind) return undefined
  const head = readStringLength(input, 3)
  const headAt = 3 + stringHeadLength(head)
  const bodyHeadAt = headAt + head
  const sealedHeader = head - sizes.aeadNonce
  if (sealedHeader < sealedHeaderBytes.min || sealedHeader > sealedHeaderBytes.max) return undefined
  const body = readStringLength(input, bodyHeadAt)
  const bodyAt = bodyHeadAt + stringHeadLength(body)
  if (body < sizes.aeadTag || bodyAt + body !== input.length) return undefined
  return {
    nonce: input.subarray(headAt, headAt + sizes.aeadNonce),
    sealedHeader: input.subarray(headAt + sizes.aeadNonce, bodyHeadAt),
    sealedBody: input.subarray(bodyAt),
  }
}

/** Bytes a ratchet frame adds to its sealed header and body. */
export const stringHeadLength = (length: number): number =>
  length < 24 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5

/** Writes the head of a CBOR byte string; returns the offset after it. */
export function writeStringHead(out: Uint8Array, at: number, length: number): number {
  if (length < 24) {
    out[at] = byteString | length
    return at + 1
  }
  if (length < 0x100) {
    out[at] = byteString | 24
    out[at + 1] = length
    return at + 2
  }
  if (length < 0x1_0000) {
    out[at] = byteString | 25
    out[at + 1] = length >> 8
    out[at + 2] = length & 0xff
    return at + 3
  }
  out[at] = byteString | 26
  new DataView(out.buffer, out.byteOffset).setUint32(at + 1, length)
  return at + 5
}

/** Length of the byte string at `at`; -1 when there is none in shortest form below 64 KiB. */
function readStringLength(input: Uint8Array, at: number): number {
  const first = input[at]
  if (first === undefined) return -1
  if (first >= byteString && first < byteString + 24) return first - byteString
  if (first === (byteString | 24)) {
    const length = input[at + 1] ?? 0
    return length >= 24 ? length : -1
  }
  if (first === (byteString | 25)) {
    const length = ((input[at + 1] ?? 0) << 8) | (input[at + 2] ?? 0)
    return length >= 0x100 ? length : -1
  }
  return -1
}

/**
 * Associated data of a body: `cbor([suite, acctA, devA, acctB, devB, sealedHeader])`, made from the encoding
 * of the first five, which is the header's.
 */
export function bodyAssociated(associated: Uint8Array, sealedHeader: Uint8Array): Uint8Array {
  const length = sealedHeader.length
  const out = new Uint8Array(associated.length + stringHeadLength(length) + length)
  out.set(associated)
  out[0] = 0x86
  out.set(sealedHeader, writeStringHead(out, associated.length, length))
  return out
}

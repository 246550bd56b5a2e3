import { limits } from '../limits.ts'
import { ByteReader, ByteWriter, Truncated } from './byte-cursor.ts'
import type { Pairwise } from './pairwise.ts'
import { readSession, sessionLength, writeSession } from './session.ts'

/** Version of the stored form. */
const version = 1

/** The flat form of everything kept for one remote device. Holds secrets: it goes into a sealed store only. */
export function encodePairwise(peer: Pairwise): Uint8Array {
  let length = 1 + 8 + 1
  for (const session of peer.sessions) length += sessionLength(session)
  const out = new ByteWriter(length)
  out.u8(version).u64(peer.handshakeAtMs).u8(peer.sessions.length)
  for (const session of peer.sessions) writeSession(out, session)
  return out.done()
}

/** Reads what `encodePairwise` wrote; undefined for anything else. */
export function decodePairwise(bytes: Uint8Array): Pairwise | undefined {
  const input = new ByteReader(bytes)
  try {
    if (input.u8() !== version) return undefined
    const handshakeAtMs = input.u64()
    const count = input.u8()
    if (count > 1 + limits.archivedSessions) return undefined
    const sessions = Array.from({ length: count }, () => readSession(input))
    input.end()
    return { handshakeAtMs, sessions }
  } catch (error) {
    if (error instanceof Truncated) return undefined
    throw error
  }
}

import { commitTo, sizes } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, fields, frame, list, literal, idKey } from '../wire/index.ts'
import { shortBytes } from './sync-summary.ts'
import { opensCommitment, saltedBody, type RecordHeader, type SaltedBody } from './record.ts'

const id = bytes(sizes.hash)

export const syncBodiesAskFrame = frame(
  'sync-bodies-ask',
  fields({
    version: literal(1),
    conversation: id,
    nonce: bytes(shortBytes),
    records: list(id, limits.syncBodies),
  }),
)

export const syncBodiesFrame = frame(
  'sync-bodies',
  fields({ version: literal(1), bodies: list(saltedBody, limits.syncBodies) }),
)

/** Bodies in frames within `limits.syncFrameBytes`, in the order given. */
export function encodeBodies(bodies: readonly SaltedBody[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = []
  let [page, size]: [SaltedBody[], number] = [[], 16]
  for (const one of bodies) {
    const more = one.body.length + sizes.hash + 8
    if (size + more > limits.syncFrameBytes || page.length === limits.syncBodies) {
      frames.push(syncBodiesFrame.encode({ version: 1, bodies: page }))
      ;[page, size] = [[], 16]
    }
    page.push(one)
    size += more
  }
  if (page.length > 0) frames.push(syncBodiesFrame.encode({ version: 1, bodies: page }))
  return frames
}

/**
 * Which record each body belongs to: a body needs no name, its salted hash is the commitment. What opens no
 * wanted commitment is left out.
 */
export function matchBodies(
  crypto: CryptoProvider,
  wanted: readonly RecordHeader[],
  bodies: readonly SaltedBody[],
): readonly { readonly header: RecordHeader; readonly body: SaltedBody }[] {
  const byCommit = new Map<string, RecordHeader[]>()
  for (const header of wanted) {
    const key = idKey(header.content.bodyCommit)
    byCommit.set(key, [...(byCommit.get(key) ?? []), header])
  }
  return bodies.flatMap((body) =>
    (byCommit.get(idKey(commitTo(crypto, body.salt, body.body))) ?? [])
      .filter((header) => opensCommitment(crypto, header, body.salt, body.body))
      .map((header) => ({ header, body })),
  )
}

import { createHash } from 'node:crypto'
import type { CryptoProvider } from '@sotto/core/crypto'

/** Verdicts kept; the oldest go first. */
const most = 20_000

/**
 * Remembers verdicts on signatures, which several devices of one world ask for. The first verdict on each is the
 * real provider's.
 */
export function withKnownSignatures(inner: CryptoProvider): CryptoProvider {
  const verdicts = new Map<string, boolean>()
  return {
    ...inner,
    verify: (remote, message, signature) => {
      const name = createHash('sha256').update(remote).update(signature).update(message).digest('base64')
      const known = verdicts.get(name)
      if (known !== undefined) return known
      const verdict = inner.verify(remote, message, signature)
      for (const oldest of verdicts.keys()) {
        if (verdicts.size < most) break
        verdicts.delete(oldest)
      }
      verdicts.set(name, verdict)
      return verdict
    },
  }
}

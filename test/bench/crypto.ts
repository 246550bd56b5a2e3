/**
 * `npm run bench:crypto`: microseconds of processor time for each primitive on each provider, and how many
 * times faster than noble. The providers take turns, and each figure is the best of its rounds: the machine's
 * other work only ever adds. The shortest calls include some 50 ns of looking at the clock.
 */
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { providers } from '../support/providers.ts'

type Work = (crypto: CryptoProvider) => () => unknown

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7)
const [key, nonce, label, none] = [bytes(32), bytes(24), bytes(1), bytes(0)]

const sealing =
  (size: number): Work =>
  (crypto) => {
    const text = bytes(size)
    return () => crypto.seal(key, nonce, text, label)
  }

/** What a pairwise message costs at both ends: header and body sealed and opened, four chain steps a side. */
const message: Work = (crypto) => {
  const [header, body, ad] = [bytes(60), bytes(100), bytes(80)]
  return () => {
    for (let i = 0; i < 8; i++) crypto.hmacSha256(key, label)
    crypto.open(key, nonce, crypto.seal(key, nonce, header, none), none)
    return crypto.open(key, nonce, crypto.seal(key, nonce, body, ad), ad)
  }
}

const works: readonly [name: string, work: Work][] = [
  ['SHA-256, 32 B', (crypto) => () => crypto.sha256(key)],
  [
    'SHA-256, 1 KiB',
    (crypto) =>
      (
        (data) => () =>
          crypto.sha256(data)
      )(bytes(1024)),
  ],
  [
    'SHA-256, 64 KiB',
    (crypto) =>
      (
        (data) => () =>
          crypto.sha256(data)
      )(bytes(65536)),
  ],
  ['HMAC-SHA-256, 1 B', (crypto) => () => crypto.hmacSha256(key, label)],
  ['seal, 100 B', sealing(100)],
  ['seal, 1 KiB', sealing(1024)],
  ['seal, 4 KiB', sealing(4096)],
  ['seal, 64 KiB', sealing(65536)],
  ['message, both ends', message],
  ['X25519 key pair', (crypto) => () => crypto.dhKeyPair(key)],
  [
    'X25519',
    (crypto) =>
      (
        (own) => () =>
          crypto.dh(own, own.publicKey)
      )(crypto.dhKeyPair(key)),
  ],
  ['Ed25519 key pair', (crypto) => () => crypto.signKeyPair(key)],
  [
    'Ed25519 sign, 256 B',
    (crypto) =>
      (
        (own) => () =>
          crypto.sign(own, bytes(256))
      )(crypto.signKeyPair(key)),
  ],
  [
    'Ed25519 verify, 256 B',
    (crypto) => {
      const own = crypto.signKeyPair(key)
      const [text, signature] = [bytes(256), crypto.sign(own, bytes(256))]
      return () => crypto.verify(own.publicKey, text, signature)
    },
  ],
  ['ML-KEM-768 key pair', (crypto) => () => crypto.kemKeyPair(bytes(64))],
  [
    'ML-KEM-768 encapsulate',
    (crypto) =>
      (
        (own) => () =>
          crypto.kemEncapsulate(own.publicKey, key)
      )(crypto.kemKeyPair(bytes(64))),
  ],
  [
    'ML-KEM-768 decapsulate',
    (crypto) => {
      const own = crypto.kemKeyPair(bytes(64))
      const made = crypto.kemEncapsulate(own.publicKey, key)
      return () => made && crypto.kemDecapsulate(own, made.ciphertext)
    },
  ],
  [
    'Argon2id, 64 MiB, 3 passes',
    (crypto) => () => crypto.argon2id(key, key.subarray(16), { memoryKiB: 65536, passes: 3 }),
  ],
]

/** Microseconds of processor time a call, over about `budgetMs` on the clock. */
function measure(act: () => unknown, budgetMs: number): number {
  const start = performance.now()
  const before = process.cpuUsage()
  let calls = 0
  do {
    act()
    calls++
  } while (performance.now() - start < budgetMs)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

function best(work: Work): number[] {
  const slow = work === works.at(-1)?.[1]
  const acts = providers.map(work)
  const figures = providers.map(() => Infinity)
  for (let round = 0; round < (slow ? 1 : 12); round++)
    for (const [i, act] of acts.entries())
      figures[i] = Math.min(figures[i] ?? Infinity, measure(act, slow ? 0 : 25))
  return figures
}

const cell = (text: string): string => text.padStart(16)
console.log('µs a call (times noble)'.padEnd(28) + providers.map(({ name }) => cell(name)).join(''))
for (const [name, work] of works) {
  const figures = best(work)
  const shown = figures.map((us) =>
    cell(`${us.toFixed(us < 100 ? 2 : 0)} (${((figures[0] ?? 0) / us).toFixed(1)})`),
  )
  console.log(name.padEnd(28) + shown.join(''))
}

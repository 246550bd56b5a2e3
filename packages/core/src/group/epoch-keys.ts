import { kdf, kdfEach, kdfInfo, noSalt, Secret, type CryptoProvider } from '../crypto/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { compareBytes, concat, toBase32 } from '../wire/index.ts'

/** Keys of an epoch's topic and queue. They hide who speaks and when, not what is said. */
export interface RouteKeys {
  /** Seals the outer layer of every envelope on the topic. */
  readonly envelope: Secret
  readonly topic: Secret
  readonly queue: Secret
}

/** Everything one secret gives; after this it is erased. */
export interface DerivedEpoch {
  readonly commitment: Uint8Array
  /** Mixed into the secret of an epoch that has this one for a parent. */
  readonly exporter: Secret
  readonly route: RouteKeys
  /** First chain key of each recipient, in their order. */
  readonly chains: readonly Secret[]
}

const infos = [
  kdfInfo('epoch-commit'),
  kdfInfo('epoch-exporter'),
  kdfInfo('epoch-envelope'),
  kdfInfo('epoch-topic'),
  kdfInfo('epoch-queue'),
] as const
const commitInfo = [infos[0]] as const

/** The commitment alone: what a receiver compares before it believes a seed. */
export const commitmentOf = (crypto: CryptoProvider, secret: Uint8Array, context: Uint8Array): Uint8Array =>
  kdfEach(crypto, context, secret, commitInfo)[0]

/** Derives everything from `(s, context)`: one extract, one expand each. */
export function deriveEpoch(
  crypto: CryptoProvider,
  secret: Uint8Array,
  context: Uint8Array,
  recipients: readonly DeviceAddress[],
): DerivedEpoch {
  const chainInfos = recipients.map(({ account, device }) => kdfInfo('epoch-chain', [account, device]))
  const [commitment, exporter, envelope, topic, queue, ...chains] = kdfEach(crypto, context, secret, [
    ...infos,
    ...chainInfos,
  ] as const)
  return {
    commitment,
    exporter: new Secret(exporter),
    route: { envelope: new Secret(envelope), topic: new Secret(topic), queue: new Secret(queue) },
    chains: chains.map((key) => new Secret(key)),
  }
}

/** The keys of topic and queue alone: with a seed whose record has not come, they fetch it. */
export function deriveRoute(crypto: CryptoProvider, secret: Uint8Array, context: Uint8Array): RouteKeys {
  const [, , envelope, topic, queue] = kdfEach(crypto, context, secret, infos)
  return { envelope: new Secret(envelope), topic: new Secret(topic), queue: new Secret(queue) }
}

/**
 * An epoch's secret: fresh randomness, hedged with what the author holds of the parents, so that a broken
 * generator alone does not give it away. `exporters` are sorted here.
 */
export function epochSecret(
  crypto: CryptoProvider,
  random: Uint8Array,
  exporters: readonly Secret[],
  conversation: Uint8Array,
): Secret {
  const ikm = concat(random, ...exporters.map((exporter) => exporter.expose()).sort(compareBytes))
  const secret = new Secret(kdf(crypto, noSalt, ikm, 'epoch-seed', [conversation]))
  ikm.fill(0)
  return secret
}

const dayMs = 86_400_000

/** Name of a topic on one day: lower-case base32, 52 characters. `day` counts from 1970-01-01 UTC. */
export const topicName = (crypto: CryptoProvider, topic: Secret, day: number): string =>
  toBase32(kdf(crypto, noSalt, topic.expose(), 'topic', [day]))

/** A topic's names of yesterday, today and tomorrow, so that a clock may be a day off. */
export const topicNames = (crypto: CryptoProvider, topic: Secret, nowMs: number): readonly string[] => {
  const today = Math.floor(nowMs / dayMs)
  return [today - 1, today, today + 1].map((day) => topicName(crypto, topic, Math.max(0, day)))
}

/** Seed of the key by which a log queue is read. */
export const queueReaderSeed = (crypto: CryptoProvider, queue: Secret): Uint8Array =>
  kdf(crypto, noSalt, queue.expose(), 'epoch-queue-read')

/** Seed of the key by which one device writes to a log queue. */
export const queueWriterSeed = (crypto: CryptoProvider, queue: Secret, writer: DeviceAddress): Uint8Array =>
  kdf(crypto, noSalt, queue.expose(), 'epoch-queue-write', [writer.account, writer.device])

/** The epochs that the frozen vectors are made of, played by the group room: two, the second a child of the first. */
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import {
  acceptEpoch,
  createEpoch,
  epochTopics,
  noEpochs,
  onSeed,
  seal,
  type ConversationEpochs,
  type MembershipView,
} from '../../../packages/core/src/group/index.ts'
import { readEpoch } from '../../../packages/core/src/group/epoch-record.ts'
import type { AccountId, DeviceId } from '../../../packages/core/src/identity/index.ts'
import { seededRandom } from '../../../packages/core/src/memory/index.ts'
import { toHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { startMs } from '../../support/session-world.ts'

/** All binary values are hex. */
export interface EpochVector {
  readonly conversation: string
  readonly head: string
  readonly devices: readonly { readonly account: string; readonly device: string; readonly seed: string }[]
  readonly epochs: readonly {
    readonly author: number
    readonly base: number
    readonly reason: number
    readonly timestampMs: number
    readonly random: string
    readonly record: string
    readonly context: string
    readonly secret: string
    /** Of the day of `timestampMs`. */
    readonly topicName: string
    readonly messages: readonly {
      readonly from: number
      readonly aseq: number
      readonly base: number
      readonly announced: boolean
      readonly content: string
      readonly random: string
      readonly envelope: string
    }[]
  }[]
}

interface Device {
  readonly address: { readonly account: AccountId; readonly device: DeviceId }
  readonly keys: ReturnType<CryptoProvider['signKeyPair']>
  state: ConversationEpochs
}

export function playEpochs(crypto: CryptoProvider): EpochVector {
  const random = seededRandom(crypto, 'vector/epochs')
  const conversation = random.bytes(32)
  const head = random.bytes(32)
  const devices = ['a', 'b', 'c'].map((name): Device => {
    const address = {
      account: crypto.sha256(utf8(`account ${name}`)) as AccountId,
      device: crypto.sha256(utf8(`device ${name}`)) as DeviceId,
    }
    return { address, keys: crypto.signKeyPair(random.bytes(32)), state: noEpochs(conversation, address) }
  })
  const listed = devices.map(({ address, keys }) => ({
    ...address,
    identityKey: keys.publicKey,
    notAfterMs: startMs * 2,
  }))
  const view: MembershipView = {
    heads: [head],
    devices: listed,
    devicesAt: () => listed,
    history: 0,
    sinceMs: startMs,
  }
  const aseqs = devices.map((_, i) => 300 * i)
  const epochs = [0, 1].map((author) => {
    const at = startMs + author * 1_000
    const drawn = random.bytes(32)
    const writer = devices[author]!
    const base = aseqs[author]!
    const made = createEpoch(crypto, writer.state, writer.keys, view, { reason: 'first', base }, drawn, at)
    writer.state = made.state
    for (const device of devices) {
      if (device === writer) continue
      const accepted = acceptEpoch(crypto, device.state, made.record, view, at)
      if (accepted.verdict !== 'accepted') throw new Error(accepted.verdict)
      const keyed = onSeed(crypto, accepted.value.state, made.seed, writer.address, at)
      if (keyed.verdict !== 'accepted') throw new Error(keyed.verdict)
      device.state = keyed.value.state
    }
    const bases = [...aseqs]
    const messages = [author, 2, author, 2, 2].map((from, i) => {
      const aseq = aseqs[from]!
      aseqs[from] = aseq + 1 + (i === 3 ? 2 : 0)
      const content = utf8(`content ${String(i)}`.repeat(i === 4 ? 80 : 1))
      const nonces = random.bytes(48)
      const announced = i < 3
      const draft = { aseq, base: bases[from]!, content, announceBase: announced }
      const sealed = seal(crypto, devices[from]!.state, devices[from]!.keys, view, draft, nonces, at)
      if (!sealed.ok) throw new Error(sealed.reason)
      devices[from]!.state = sealed.state
      return {
        from,
        aseq,
        base: bases[from]!,
        announced: announced && from !== author,
        content: toHex(content),
        random: toHex(nonces),
        envelope: toHex(sealed.envelope),
      }
    })
    const { terms } = readEpoch(crypto, made.record)!
    return {
      author,
      base,
      reason: terms.reason,
      timestampMs: at,
      random: toHex(drawn),
      record: toHex(made.record),
      context: toHex(made.seed.context),
      secret: toHex(made.seed.secret),
      topicName: epochTopics(crypto, writer.state, at).at(-1)!.names[1]!,
      messages,
    }
  })
  return {
    conversation: toHex(conversation),
    head: toHex(head),
    devices: devices.map(({ address, keys }) => ({
      account: toHex(address.account),
      device: toHex(address.device),
      seed: toHex(keys.secret.expose()),
    })),
    epochs,
  }
}

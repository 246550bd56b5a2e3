/** The frozen epochs, played by the room on the fast provider and made again by a second implementation. */
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { nodeProvider } from '../../support/session-world.ts'
import { secondEnvelope, secondEpoch, secondTopicName, type SecondTerms } from '../../support/second-epoch.ts'
import { playEpochs, type EpochVector } from './epochs.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const vector = JSON.parse(readFileSync(new URL('epochs.json', import.meta.url), 'utf8')) as EpochVector

describe('vectors: epochs', () => {
  it('the room repeats every byte', () => {
    expect(playEpochs(nodeProvider)).to.deep.equal(vector)
  })

  it('a second implementation makes the same records, secrets, topics and envelopes', () => {
    const devices = vector.devices.map(({ account, device, seed }) => ({
      account: hex(account),
      device: hex(device),
      seed: hex(seed),
    }))
    const order = [...devices].sort((a, b) => Buffer.compare(a.account, b.account))
    const conversation = hex(vector.conversation)
    let parent: ReturnType<typeof secondEpoch> | undefined
    for (const [depth, epoch] of vector.epochs.entries()) {
      const author = devices[epoch.author]!
      const terms: SecondTerms = [
        conversation,
        parent === undefined ? [] : [parent.id],
        [hex(vector.head)],
        [],
        depth,
        null,
        0,
        epoch.reason,
        author.account,
        author.device,
        epoch.base,
        epoch.timestampMs,
      ]
      const made = secondEpoch(
        terms,
        hex(epoch.random),
        parent === undefined ? [] : [parent.exporter],
        author.seed,
      )
      expect(toHex(made.record)).to.equal(epoch.record)
      expect(toHex(made.context)).to.equal(epoch.context)
      expect(toHex(made.secret)).to.equal(epoch.secret)
      expect(secondTopicName(made.topic, Math.floor(epoch.timestampMs / 86_400_000))).to.equal(epoch.topicName)
      for (const message of epoch.messages) {
        const from = devices[message.from]!
        const envelope = secondEnvelope(
          { id: made.id, envelopeKey: made.envelopeKey, chain: made.chain(from.account, from.device) },
          { conversation, account: from.account, device: from.device, index: order.indexOf(from) },
          message.aseq - message.base,
          hex(message.content),
          message.announced ? { base: message.base, seed: from.seed } : undefined,
          hex(message.random),
        )
        expect(toHex(envelope)).to.equal(message.envelope)
      }
      parent = made
    }
  })
})

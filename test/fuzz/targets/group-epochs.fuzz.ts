import {
  epochChanges,
  epochRows,
  noEpochs,
  open,
  restoreEpochs,
} from '../../../packages/core/src/group/index.ts'
import { decodeChains, encodeChains } from '../../../packages/core/src/group/chain-codec.ts'
import { decodeEnvelope } from '../../../packages/core/src/group/envelope.ts'
import { seedAckFrame, seedFrame, seedRequestFrame } from '../../../packages/core/src/group/epoch-items.ts'
import { acceptEpoch } from '../../../packages/core/src/group/epoch-accept.ts'
import { readEpoch } from '../../../packages/core/src/group/epoch-record.ts'
import { equalBytes } from '../../../packages/core/src/wire/index.ts'
import { GroupWorld, judgeWith } from '../../support/group-world.ts'
import { nodeProvider } from '../../support/session-world.ts'
import { frameTarget, sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const world = new GroupWorld(nodeProvider, 'fuzz')
const author = world.add('a.0')
const reader = world.add('b.0', author)
world.drain()
world.send(author, 'opened before')
world.drain()
world.send(author, 'one')
world.send(author, 'two '.repeat(200))
const { state } = reader
const envelopes = world.sealed.slice(1).map(({ envelope }) => envelope)
const records = [...author.state.nodes.values()].map(({ record }) => record.bytes)
const chains = encodeChains([...author.state.keys.values()][0]!.chains)
const judge = judgeWith(nodeProvider, world.conversation)
const empty = noEpochs(world.conversation, reader.address)
const id = new Uint8Array(32).fill(7)

export const targets: readonly FuzzTarget[] = [
  frameTarget('group/seed', seedFrame, [seedFrame.encode({ epoch: id, context: id, secret: id })]),
  frameTarget('group/seed ack', seedAckFrame, [seedAckFrame.encode({ epoch: id })]),
  frameTarget('group/seed request', seedRequestFrame, [seedRequestFrame.encode({ epoch: id })]),
  {
    name: 'group/epoch record',
    seeds: records,
    run: (input) => {
      const record = readEpoch(nodeProvider, input)
      return record !== undefined && sameBytes(record.bytes, input)
    },
  },
  {
    name: 'group/accept epoch',
    seeds: records,
    weight: 10,
    run: (input) => {
      const verdict = acceptEpoch(nodeProvider, empty, input, world.viewOf(reader), world.nowMs)
      const genuine = records.some((record) => equalBytes(record, input))
      if ((verdict.verdict === 'accepted') !== genuine)
        throw new Error(genuine ? 'refused a genuine epoch' : 'accepted an epoch nobody began')
      return genuine
    },
  },
  {
    name: 'group/envelope',
    seeds: envelopes,
    run: (input) => decodeEnvelope(input) !== undefined,
  },
  {
    name: 'group/open envelope',
    seeds: envelopes,
    weight: 20,
    run: (input) => {
      const opened = open(nodeProvider, state, [{ envelope: input }], judge, world.nowMs)
      const genuine = envelopes.some((envelope) => equalBytes(envelope, input))
      const counted = opened.verdicts[0]?.verdict === 'accepted'
      if (counted !== genuine)
        throw new Error(genuine ? 'refused a genuine envelope' : 'opened an envelope nobody sealed')
      if (!genuine && opened.state !== state) throw new Error('a refused envelope left a trace')
      return genuine
    },
  },
  {
    name: 'group/stored chains',
    seeds: [chains],
    run: (input) => {
      const decoded = decodeChains(input)
      return decoded !== undefined && sameBytes(encodeChains(decoded), input)
    },
  },
  {
    name: 'group/stored node',
    seeds: [reader.rows.get([...reader.rows.keys()].find((key) => key.startsWith('n/'))!)!],
    run: (input) => {
      const rows = epochRows(state).map(({ key, value }) => ({
        key,
        value: key.startsWith('n/') ? input : value!,
      }))
      const restored = restoreEpochs(nodeProvider, rows)
      return restored !== undefined && epochChanges(restored, restored).length === 0
    },
  },
]

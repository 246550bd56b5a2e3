import { opFrame, replyFrame, requestFrame, versionOf } from '../../../packages/core/src/mailbox/frames.ts'
import {
  createQueueRequest,
  fetchRequest,
  putRequest,
  readHello,
  readReply,
} from '../../../packages/core/src/mailbox/index.ts'
import { bytesOf, crypto, keysOf, noonMs, startRelay } from '../../core/mailbox/support.ts'
import { frameTarget } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const relay = startRelay()
const client = relay.connect()
const keys = keysOf('fuzz')
const requests = [
  createQueueRequest(crypto, client.session, 1, keys, 'inbox'),
  putRequest(crypto, client.session, 2, keys.write, bytesOf('blob', 600)),
  fetchRequest(crypto, client.session, 3, keys.read, 0),
]
for (const request of requests) await client.raw(request)
const ops = requests.flatMap((request) => {
  const decoded = requestFrame.decode(request)
  return decoded.ok ? [decoded.value.op] : []
})
const reply = replyFrame.encode({
  version: 1,
  id: 7,
  reply: {
    kind: 'page',
    items: [{ cursor: 1, blob: bytesOf('blob', 100), expiresAtMs: noonMs }],
    after: 1,
    more: false,
  },
})
const replies = [...client.received, reply]

export const targets: readonly FuzzTarget[] = [
  frameTarget('mailbox/operation', opFrame, ops),
  frameTarget('mailbox/request', requestFrame, requests),
  frameTarget('mailbox/reply', replyFrame, replies),
  {
    name: 'mailbox/client',
    seeds: replies,
    run: (input) => {
      versionOf(input)
      readHello('relay', input)
      return readReply(input).ok
    },
  },
  {
    name: 'mailbox/server',
    seeds: requests,
    weight: 20,
    run: async (input) => {
      // A channel of its own: the relay hangs up on who sends too much rubbish, and counts what a peer does.
      relay.clock.advance(1_000)
      const peer = relay.connect()
      const answers = await peer.raw(input)
      relay.server.closed(peer.channel)
      return answers.some(({ id, reply: said }) => id !== null && said.kind !== 'malformed')
    },
  },
]

import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  ackRequest,
  createLogRequest,
  createQueueRequest,
  deleteRequest,
  fetchRequest,
  lookupRequest,
  newQueueKeys,
  putRequest,
  recordRequest,
  subscribeRequest,
  type ClientSession,
} from '../../../packages/core/src/mailbox/index.ts'
import { encodeReply, type MailboxReply } from '../../../packages/core/src/mailbox/frames.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { providers } from '../../support/providers.ts'

const file = new URL('vectors.json', import.meta.url)

/** 32 bytes that count up from `first`. */
const counting = (first: number, length = 32): Uint8Array => Uint8Array.from({ length }, (_, i) => (first + i) & 255)

/** Every request and reply there is, from fixed inputs. */
function vectors(crypto: (typeof providers)[number]): Readonly<Record<string, string>> {
  const terms = {
    ttlMs: limits.mailboxTtlMs,
    queueItems: 1_000,
    queueBytes: 4_194_304,
    introItems: 32,
    recordMs: limits.inviteMaxMs,
    workBits: 6,
  }
  const relay = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
  const session: ClientSession = { relay, nonce: counting(0), terms, web: null }
  const keys = newQueueKeys(crypto, counting(0x40, 64))
  const edit = crypto.signKeyPair(counting(0x90))
  const entry = { locator: counting(0xa0), value: utf8('sealed'), expiresAtMs: 1_800_000_000_000 }
  const item = { cursor: 7, blob: utf8('item'), expiresAtMs: 1_790_000_000_000 }
  const requests = {
    create: createQueueRequest(crypto, session, 1, keys, 'inbox'),
    'create intro': createQueueRequest(crypto, session, 2, keys, 'intro', 86_400_000),
    put: putRequest(crypto, session, 3, keys.write, utf8('item')),
    'put intro': putRequest(crypto, session, 4, keys.write, utf8('item'), 'intro'),
    fetch: fetchRequest(crypto, session, 5, keys.read, 6, 50),
    subscribe: subscribeRequest(crypto, session, 6, keys.read, 7),
    ack: ackRequest(crypto, session, 7, keys.read, 7),
    delete: deleteRequest(crypto, session, 8, keys.read),
    record: recordRequest(crypto, session, 9, edit, entry),
    lookup: lookupRequest(crypto, session, 10, entry.locator),
    'create log': createLogRequest(crypto, session, 11, {
      read: keys.read,
      writeKeys: [keys.write.publicKey, edit.publicKey],
    }),
  }
  const replies: readonly MailboxReply[] = [
    { kind: 'hello', nonce: session.nonce, terms, web: 'relay.example:8443' },
    { kind: 'version', supported: 1 },
    { kind: 'done' },
    { kind: 'page', items: [item], after: 7, more: true },
    { kind: 'record', value: entry.value, expiresAtMs: entry.expiresAtMs, editKey: edit.publicKey },
    { kind: 'missing' },
    { kind: 'denied' },
    { kind: 'full' },
    { kind: 'busy', retryAfterMs: 1_000 },
    { kind: 'unpaid', workBits: 6 },
    { kind: 'declined' },
    { kind: 'malformed' },
    { kind: 'push', recvId: keys.recvId, items: [item] },
  ]
  const unnumbered = new Set(['hello', 'version', 'push'])
  return Object.fromEntries([
    ...Object.entries(requests).map(([name, bytes]) => [`request ${name}`, toHex(bytes)]),
    ...replies.map((reply) => [
      `reply ${reply.kind}`,
      toHex(encodeReply(unnumbered.has(reply.kind) ? null : 1, reply)),
    ]),
  ]) as Readonly<Record<string, string>>
}

describe('mailbox: vectors', () => {
  const [first] = providers
  if (process.env['UPDATE_VECTORS'] === '1' && first !== undefined)
    writeFileSync(file, `${JSON.stringify(vectors(first), null, 2)}\n`)
  const committed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>

  for (const crypto of providers)
    it(`every request and reply has its committed bytes with ${crypto.name}`, () => {
      expect(vectors(crypto)).to.deep.equal(committed)
    })
})

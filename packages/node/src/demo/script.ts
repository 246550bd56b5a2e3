import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PortError } from '@sotto/core/ports'
import type { MessageView } from '@sotto/core'
import { Person } from './person.ts'
import { programs, startProgram } from './process.ts'

/** What a demo found. */
export interface DemoResult {
  readonly ok: true
  readonly seconds: number
  readonly messages: number
}

const loopbackAddress = (listen: unknown): string => {
  const addresses = Array.isArray(listen) ? listen.filter((address) => typeof address === 'string') : []
  const found = addresses.find((address) => address.includes('/127.0.0.1/tcp/') && !address.includes('/ws'))
  if (found !== undefined) return found
  throw new PortError('E_DEMO', 'the relay does not listen')
}

const same = (a: readonly MessageView[], b: readonly MessageView[]): boolean =>
  JSON.stringify(a.map(({ messageId, text }) => [messageId, text])) ===
  JSON.stringify(b.map(({ messageId, text }) => [messageId, text]))

async function meet(ada: Person, bob: Person, say: Say): Promise<string> {
  await Promise.all([ada.begin(), bob.begin()])
  say('Ada and Bob each made their keys, on their own. No account, no server.')
  const link = await ada.invite()
  say(`Ada gives Bob a link: ${link.slice(0, 24)}… (${link.length} characters)`)
  const conversation = await bob.add(link)
  await Promise.all([ada.meets(), bob.meets()])
  say('Bob opened it; they are connected, end to end, post-quantum hybrid.')
  return conversation
}

async function talk(ada: Person, bob: Person, conversation: string, say: Say): Promise<void> {
  const hello = await ada.write(conversation, 'Hello Bob!')
  await ada.reaches([hello], ['delivered', 'read'])
  say('Ada: Hello Bob!                                  ✓ reached Bob’s device')
  const reply = await bob.write(conversation, 'Hello Ada. Nobody in between.')
  await bob.reaches([reply], ['delivered', 'read'])
  say('Bob: Hello Ada. Nobody in between.               ✓ reached Ada’s device')
}

/** Bob’s machine dies, Ada writes and leaves; Bob comes back, answers and leaves; Ada comes back. Gives his history. */
async function cutAndHeal(
  ada: Person,
  bob: Person,
  conversation: string,
  say: Say,
): Promise<readonly MessageView[]> {
  await bob.crash()
  say('✂ Bob’s machine loses its power.')
  const lines = ['Are you there?', 'I will be away tonight.', 'Read this when you are back.']
  const left: MessageView[] = []
  for (const line of lines) left.push(await ada.write(conversation, line))
  await ada.reaches(left, ['relayed'])
  say('Ada wrote three lines.                           ⇡ left at the relay, sealed')
  await ada.down()
  say('Ada goes away too. Only the relay is up, and it can read nothing.')
  await bob.up()
  await bob.receives(left)
  say('Bob is back: three lines were waiting for him.')
  const answer = await bob.write(conversation, 'Back again. All here.')
  await bob.reaches([answer], ['relayed'])
  const his = await bob.history(conversation)
  await bob.down()
  await ada.up()
  await ada.receives([answer])
  await ada.reaches(left, ['delivered', 'read'])
  say('Ada is back. Bob: Back again. All here.          ✓ her three lines reached him')
  return his
}

/** The number of messages, which both have in the same order and once each. */
function compare(hers: readonly MessageView[], his: readonly MessageView[]): number {
  const ids = new Set(hers.map(({ messageId }) => messageId))
  if (!same(hers, his) || ids.size !== hers.length || hers.length !== 6) {
    throw new PortError('E_DEMO', 'the two histories differ')
  }
  return hers.length
}

type Say = (line: string) => void

/** Plays two people, a relay, a cut and a heal with real processes on this machine, and removes all after. */
export async function playDemo(env: NodeJS.ProcessEnv, say: Say): Promise<DemoResult> {
  const startMs = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'sotto-demo-'))
  const own = { ...env, XDG_RUNTIME_DIR: folder }
  const relay = await startProgram(
    programs.relay,
    [
      'run',
      '--data',
      join(folder, 'relay'),
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      '--http',
      '127.0.0.1:0',
      '--log',
      join(folder, 'relay.log'),
    ],
    own,
  )
  const address = loopbackAddress(relay.first['listen'])
  const [ada, bob] = [new Person('Ada', folder, address, own), new Person('Bob', folder, address, own)]
  try {
    say('A relay is up, as a volunteer would run one.')
    const conversation = await meet(ada, bob, say)
    await talk(ada, bob, conversation, say)
    const his = await cutAndHeal(ada, bob, conversation, say)
    const messages = compare(await ada.history(conversation), his)
    say('Both have the same six messages. Nothing lost, nothing doubled.')
    return { ok: true, seconds: Math.round((performance.now() - startMs) / 100) / 10, messages }
  } finally {
    await Promise.all([ada.down(), bob.down(), relay.end()])
    await rm(folder, { recursive: true, force: true })
  }
}

/** A process that opens homes for `bitrot-home.ts`, one a message, and says what it read there. */
import { SottoError } from '@sotto/core'
import type { DeviceFace, MessageView } from '@sotto/core'
import { readHistory } from '../../packages/node/src/cli/message.ts'
import { openNode } from '../../packages/node/src/create-node.ts'
import { homePaths } from '../../packages/node/src/home/paths.ts'

/** What to open: the store of one folder with key and format of another. */
export interface ReadOrder {
  readonly store: string
  readonly home: string
  readonly conversations: readonly string[]
}

/** A message as far as it must not change. */
export interface ReadMessage {
  readonly messageId: string
  readonly text: string | null
  readonly state: string | null
  readonly author: string
  readonly edited: boolean
  readonly deleted: boolean
  readonly reactions: string
}

/** What a home said of itself. */
export interface Reading {
  /** Codes of what failed: opening, or a query. */
  readonly failed: readonly string[]
  /** Failures that are none of ours. */
  readonly untyped: readonly string[]
  readonly warnings: readonly string[]
  readonly messages: readonly ReadMessage[]
  readonly missing: number
  /** Everything else, as JSON. */
  readonly rest: Readonly<Record<string, string>>
}

class Findings {
  readonly failed: string[] = []
  readonly untyped: string[] = []

  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await question()
    } catch (error) {
      if (error instanceof SottoError) this.failed.push(error.code)
      else this.untyped.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
      return undefined
    }
  }
}

async function readAll(
  face: DeviceFace,
  conversations: readonly string[],
  findings: Findings,
): Promise<Reading> {
  const messages: ReadMessage[] = []
  const rest: Record<string, string> = {}
  const keep = async (what: string, question: () => Promise<unknown>): Promise<void> => {
    const answer = await findings.ask(async () => JSON.stringify(await question()))
    if (answer !== undefined) rest[what] = answer
  }
  let missing = 0
  for (const conversationId of conversations) {
    const history = await findings.ask(() => readHistory(face, conversationId, 100_000, undefined))
    messages.push(...(history?.messages ?? []).map(shown))
    missing += history?.missing ?? 0
    await keep(`members of ${conversationId}`, () => face.view('members', { conversationId }))
  }
  const status = await findings.ask(() => face.view('status', {}))
  for (const query of ['self', 'contacts', 'invites', 'settings', 'requests'] as const)
    await keep(query, () => face.view(query, {}))
  // This device was seen just now.
  await keep('devices', async () =>
    (await face.view('devices', {})).map((device) => ({ ...device, lastSeenMs: 0 })),
  )
  const { failed, untyped } = findings
  const warnings = status?.warnings.map(({ code }) => code) ?? []
  return { failed, untyped, warnings, messages, missing, rest }
}

const shown = ({ messageId, text, state, author, edited, deleted, reactions }: MessageView): ReadMessage => ({
  ...{ messageId, text, state, author: author.accountId, edited, deleted },
  reactions: reactions.map(({ emoji }) => emoji).join(' '),
})

async function read({ store, home, conversations }: ReadOrder): Promise<Reading> {
  const findings = new Findings()
  const paths = { ...homePaths(home, {}), store }
  const passphrase = async (): Promise<undefined> => undefined
  const node = await findings.ask(() => openNode({ paths, network: null, passphrase, clockOffsetMs: 0 }))
  if (node === undefined)
    return {
      failed: findings.failed,
      untyped: findings.untyped,
      warnings: [],
      messages: [],
      missing: 0,
      rest: {},
    }
  const reading = await readAll(node.face, conversations, findings)
  await findings.ask(() => node.stop())
  return reading
}

process.on('message', (order: ReadOrder) => {
  void read(order).then((reading) => process.send?.(reading))
})

/** A process that opens homes for `bitrot-home.ts`, one a message, and says what it read there. */
import { SottoError } from '@sotto/core'
import type { DeviceFace } from '@sotto/core'
import { readHistory } from '../../packages/node/src/cli/message.ts'
import { openNode } from '../../packages/node/src/create-node.ts'
import { homePaths } from '../../packages/node/src/home/paths.ts'

/** What to open: the store of one folder with key and format of another. */
export interface ReadOrder {
  readonly store: string
  readonly home: string
  readonly conversationId: string
}

/** A message as far as it must not change. */
export interface ReadMessage {
  readonly messageId: string
  readonly text: string | null
  readonly state: string | null
  readonly author: string
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

async function readAll(face: DeviceFace, conversationId: string, findings: Findings): Promise<Reading> {
  const history = await findings.ask(() => readHistory(face, conversationId, 100_000, undefined))
  const status = await findings.ask(() => face.view('status', {}))
  const rest: Record<string, string> = {}
  for (const query of ['self', 'contacts', 'invites', 'settings', 'requests'] as const) {
    const answer = await findings.ask(async () => JSON.stringify(await face.view(query, {})))
    if (answer !== undefined) rest[query] = answer
  }
  return {
    failed: findings.failed,
    untyped: findings.untyped,
    warnings: status?.warnings.map(({ code }) => code) ?? [],
    messages: (history?.messages ?? []).map(({ messageId, text, state, author }) => ({
      messageId,
      text,
      state,
      author: author.accountId,
    })),
    missing: history?.missing ?? 0,
    rest,
  }
}

async function read({ store, home, conversationId }: ReadOrder): Promise<Reading> {
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
  const reading = await readAll(node.face, conversationId, findings)
  await findings.ask(() => node.stop())
  return reading
}

process.on('message', (order: ReadOrder) => {
  void read(order).then((reading) => process.send?.(reading))
})

import type { MessageView } from '@sotto/core'
import type { Actor } from './actor.ts'

/** Whoever wrote something and holds a history. */
export interface Writer extends Pick<Actor, 'name' | 'acknowledged' | 'failed' | 'conversationId'> {
  readonly node: Pick<Actor['node'], 'history'>
}

const show = ({ messageId, text, author }: MessageView): string =>
  `${messageId} ${author.accountId} ${String(text)}`

/** A difference in a few words; there may be thousands of lines. */
const few = (lines: readonly string[]): string =>
  `${lines.slice(0, 3).join(', ')}${lines.length > 3 ? ` and ${lines.length - 3} more` : ''}`

function report(wrong: string[], what: string, lines: readonly string[]): void {
  if (lines.length > 0) wrong.push(`${what}: ${few(lines)}`)
}

/** What one history says of what one actor wrote. */
function checkAuthor(where: string, actor: Writer, history: readonly MessageView[], wrong: string[]): number {
  const byId = new Map(history.map((message) => [message.messageId, message]))
  const lost = actor.acknowledged.filter(({ messageId }) => !byId.has(messageId))
  report(
    wrong,
    `lost ${where}`,
    lost.map(({ text }) => text),
  )
  const changed = actor.acknowledged.filter(
    ({ messageId, text }) => (byId.get(messageId)?.text ?? text) !== text,
  )
  report(
    wrong,
    `changed ${where}`,
    changed.map(({ text }) => text),
  )
  const mine = history.flatMap(({ text }) => (text?.startsWith(`${actor.name} `) === true ? [text] : []))
  const numbers = mine.map((text) => Number(text.split(' ')[1]))
  report(
    wrong,
    `doubled or out of order ${where}`,
    mine.filter((_, at) => (numbers[at] ?? 0) <= (numbers[at - 1] ?? 0)),
  )
  const known = new Set([...actor.acknowledged.map(({ text }) => text), ...actor.failed])
  report(
    wrong,
    `never written, ${where}`,
    mine.filter((text) => !known.has(text)),
  )
  return mine.filter((text) => actor.failed.includes(text)).length
}

/** Holds both histories against what was acknowledged; gives how many failed commands were sent all the same. */
export async function compareHistories(actors: readonly [Writer, Writer], wrong: string[]): Promise<number> {
  const histories: (readonly MessageView[])[] = []
  let failedButSent = 0
  for (const reader of actors) {
    const history = await reader.node.history(reader.conversationId)
    histories.push(history)
    const ids = new Set(history.map(({ messageId }) => messageId))
    if (ids.size !== history.length) wrong.push(`an id twice in the history of ${reader.name}`)
    for (const writer of actors) {
      const sent = checkAuthor(`of ${writer.name} at ${reader.name}`, writer, history, wrong)
      if (writer === reader) failedButSent += sent
    }
    const foreign = history.filter(
      ({ text }) => !actors.some(({ name }) => text?.startsWith(`${name} `) === true),
    )
    report(wrong, `from nowhere at ${reader.name}`, foreign.map(show))
  }
  const [hers, his] = histories.map((history) => history.map(show))
  if (hers?.join('\n') !== his?.join('\n')) wrong.push('the two histories differ')
  return failedButSent
}

import type { MessageView } from '@sotto/core'
import type { User } from '../actors/user.ts'
import type { Stage } from '../scenarios/stage.ts'
import { idSpellings, textSpellings } from './outside.ts'

/** What the books say at the end. */
export interface Tally {
  readonly messages: number
  readonly lost: number
  readonly duplicated: number
  readonly unauthenticated: number
  readonly diverged: number
  readonly keyReuse: number
}

/** Whether everything accepted has been shown and nothing is on its way; cheap enough to ask often. */
export const allShown = (stage: Stage): boolean =>
  stage.world.ledger.accepted().every((sent) => sent.shownAtMs !== undefined) &&
  stage.users.every((user) => user.device !== undefined)

/** Whether every device also knows that everything it sent arrived. */
export async function allKnown(stage: Stage): Promise<boolean> {
  for (const user of stage.users) {
    const status = await user.device?.view('status', {})
    if (status?.outbox !== 0 || status.held !== 0) return false
  }
  return true
}

/** Compares every history with the ledger and with the other end's, and searches what left for secrets. */
export async function audit(stage: Stage): Promise<Tally> {
  const { ledger, recorder, outside } = stage.world
  const shown = new Map<string, Map<string, number>>()
  let diverged = 0
  for (const user of stage.users) shown.set(user.name, new Map())
  for (const [a, b, conversationId] of conversationsOf(stage)) {
    const [left, right] = [await a.history(conversationId), await b.history(conversationId)]
    for (const [user, messages] of [
      [a, left],
      [b, right],
    ] as const)
      count(stage, user, messages, shown)
    if (idsOf(left) === idsOf(right)) continue
    diverged += 1
    ledger.violate('same-history', `${a.name} and ${b.name} hold different histories`)
  }
  const lost = findLost(stage, shown)
  for (const user of stage.users) searchSecrets(stage, user)
  if ([...textSpellings(stage.world.textPrefix)].some((text) => outside.holds(text)))
    ledger.violate('ciphertext-only-outside', 'a text left a process in clear')
  const reused = recorder.reusedPairs + recorder.reusedMessageKeys((sealed) => outside.holds(sealed))
  if (reused > 0) ledger.violate('no-key-reuse', `${reused} keys were used twice`)
  const broken = (law: string): number => ledger.violations.filter((one) => one.law === law).length
  return {
    messages: ledger.accepted().length,
    lost,
    duplicated: broken('no-duplicate'),
    unauthenticated: broken('authenticity'),
    diverged,
    keyReuse: reused,
  }
}

function conversationsOf(stage: Stage): readonly (readonly [User, User, string])[] {
  return stage.users.flatMap((a, i) =>
    stage.users.slice(i + 1).flatMap((b) => {
      const id = a.conversations.get(b.name)
      return id === undefined ? [] : [[a, b, id] as const]
    }),
  )
}

const idsOf = (messages: readonly MessageView[]): string => messages.map((one) => one.messageId).join()

function count(
  stage: Stage,
  user: User,
  messages: readonly MessageView[],
  shown: ReadonlyMap<string, Map<string, number>>,
): void {
  const { ledger } = stage.world
  const counts = shown.get(user.name) ?? new Map<string, number>()
  for (const message of messages) {
    const sent = ledger.checkAuthor(user.name, message)
    if (sent === undefined) continue
    const times = (counts.get(sent.marker) ?? 0) + 1
    counts.set(sent.marker, times)
    if (times > 1) ledger.violate('no-duplicate', `${user.name}'s history holds ${sent.marker} twice`)
  }
}

function findLost(stage: Stage, shown: ReadonlyMap<string, ReadonlyMap<string, number>>): number {
  const { ledger } = stage.world
  let lost = 0
  for (const sent of ledger.accepted()) {
    const missing = [sent.author, sent.to].filter((user) => !shown.get(user)?.has(sent.marker))
    if (missing.length === 0) continue
    lost += 1
    ledger.violate(
      'no-loss',
      `${sent.marker} from ${sent.author} to ${sent.to} is not with ${missing.join()}`,
    )
  }
  return lost
}

function searchSecrets(stage: Stage, user: User): void {
  const { ledger, outside } = stage.world
  const ids = [user.accountId, user.deviceId, ...user.conversations.values()].filter((id) => id !== '')
  const spelt = [...ids.flatMap(idSpellings), ...textSpellings(user.fullName)]
  if (spelt.some((secret) => outside.holds(secret)))
    ledger.violate('ciphertext-only-outside', `a name or an id of ${user.name} left a process in clear`)
}

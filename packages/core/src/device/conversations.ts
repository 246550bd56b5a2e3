import { directConversationId, nothingReceived, segmentId } from '../history/index.ts'
import type { AccountId, DeviceAddress, DeviceId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { devicesNow, isGroup, isTorn, leastSegment, membershipOf } from './groups.ts'
import { isOwn, requireMe } from './me.ts'
import { conversationKinds, conversationRows, type Conversation, type Remote } from './tables.ts'

/** The direct conversation with an account, made when there is none; with the own one, Notes to self. */
export function conversationWith(step: Step, account: AccountId): Conversation {
  const conversation = directConversationId(step.context.crypto, requireMe(step).self.account, account)
  const known = step.tx.get(conversationRows, conversation)
  return known ?? refreshRemotes(step, { ...emptyConversation(step, conversation), account })
}

/** A group nothing but its id is known of. */
export const newGroup = (step: Step, conversation: Uint8Array): Conversation => ({
  ...emptyConversation(step, conversation),
  kind: conversationKinds.group,
})

const emptyConversation = (step: Step, conversation: Uint8Array): Conversation => ({
  conversation,
  kind: conversationKinds.direct,
  account: null,
  title: '',
  opCount: 0,
  nextSegment: 0,
  segment: 0,
  segmentCount: 0,
  aseq: 0,
  publishedUpTo: 0,
  sseq: 0,
  selfPrev: null,
  selfLamport: 0,
  tips: [],
  count: 0,
  unread: 0,
  lastMs: step.nowMs,
  remotes: [],
})

/** Under which is kept what concerns a conversation and one device in it. */
export const keyOf = (
  { conversation }: Pick<Conversation, 'conversation'>,
  { device }: Pick<DeviceAddress, 'device'>,
): string => idHex(conversation) + idHex(device)

/** What is known of another device in a conversation. */
export const remoteOf = (conversation: Conversation, { account, device }: DeviceAddress): Remote =>
  findRemote(conversation, device) ?? {
    account,
    device,
    active: false,
    grant: null,
    received: nothingReceived,
    last: null,
    got: { upTo: 0, holes: [] },
    readUpTo: 0,
    seenUpTo: 0,
    seenTold: 0,
    from: 0,
    fromSegment: 0,
    sealedUpTo: 0,
    gotBoot: 0,
    gotAtMs: 0,
    gotDue: false,
  }

export const findRemote = (
  { remotes }: Pick<Conversation, 'remotes'>,
  device: Uint8Array,
): Remote | undefined => remotes.find((remote) => equalBytes(remote.device, device))

/** The devices that are sent what is written now. */
export const activeRemotes = (conversation: Conversation): readonly Remote[] =>
  conversation.remotes.filter((remote) => remote.active)

/** The conversation with one remote replaced. */
export const withRemote = (conversation: Conversation, remote: Remote): Conversation => ({
  ...conversation,
  remotes: withinLimit([
    ...conversation.remotes.filter((other) => !equalBytes(other.device, remote.device)),
    remote,
  ]),
})

/** As many devices as a conversation has room for: those that are out go first, the oldest before the others. */
function withinLimit(remotes: readonly Remote[]): readonly Remote[] {
  let over = remotes.length - limits.conversationDevices
  if (over <= 0) return remotes
  const kept = remotes.filter(({ active }) => active || over-- <= 0)
  return kept.slice(-limits.conversationDevices)
}

export function putConversation(step: Step, conversation: Conversation): void {
  step.tx.put(conversationRows, conversation.conversation, conversation)
  const { shared } = step.context.live
  if (shared !== undefined) noteShared(shared, conversation)
}

/** Which conversations a device may share; what it really does is asked of the rows. */
function noteShared(
  shared: Map<string, Map<string, Uint8Array>>,
  { conversation, remotes }: Conversation,
): void {
  const key = idHex(conversation)
  for (const remote of remotes) {
    const device = idHex(remote.device)
    const known = shared.get(device) ?? new Map<string, Uint8Array>()
    if (known.size === 0) shared.set(device, known)
    known.set(key, conversation)
  }
}

/** A conversation as it is now in the step. */
export const conversationNow = (step: Step, conversation: Conversation): Conversation =>
  step.tx.get(conversationRows, conversation.conversation) ?? conversation

/** Which of all conversations a device shares, found once for as long as none of them changes. */
const sharedAmong = new WeakMap<readonly Conversation[], Map<string, readonly Conversation[]>>()

/** Conversations in which a device takes or took part. */
export function conversationsWith(step: Step, device: DeviceId): readonly Conversation[] {
  const all = step.tx.all(conversationRows)
  const known = sharedAmong.get(all) ?? new Map<string, readonly Conversation[]>()
  if (known.size === 0) sharedAmong.set(all, known)
  const name = idHex(device)
  const shared = known.get(name) ?? findShared(step, device, name)
  known.set(name, shared)
  return shared
}

function findShared(step: Step, device: DeviceId, name: string): readonly Conversation[] {
  const { live } = step.context
  if (live.shared === undefined) {
    live.shared = new Map()
    for (const conversation of step.tx.all(conversationRows)) noteShared(live.shared, conversation)
  }
  return [...(live.shared.get(name)?.values() ?? [])].flatMap((id) => {
    const conversation = step.tx.get(conversationRows, id)
    return conversation !== undefined && findRemote(conversation, device) !== undefined ? [conversation] : []
  })
}

/**
 * Brings the devices of a conversation up to what its operations and the device logs say now. A device that comes, or
 * whose account was let in anew, is sent what is written from here on; what was written before is a matter of sync.
 * Own devices that took part come back together, and show each other what they did before.
 * One that only seemed to be out goes on where it was: until an account has said how far the words of a device it put
 * out reach, whoever that device had let in may be out by the word of somebody who saw less.
 */
export function refreshRemotes(step: Step, conversation: Conversation): Conversation {
  if (isTorn(step, conversation)) return conversation
  const now = new Map(devicesNow(step, conversation).map((device) => [idHex(device.device), device]))
  const kept = conversation.remotes.map((remote) => {
    if (!now.delete(idHex(remote.device))) return remote.active ? { ...remote, active: false } : remote
    const grant = grantOf(step, conversation, remote)
    const isBack = remote.grant !== null && (isOwn(step, remote) || equalBytes(remote.grant, grant))
    const goesOn = remote.active || isBack
    return { ...remote, active: true, grant, ...(goesOn ? {} : fromHere(conversation)) }
  })
  const added = [...now.values()].map((device) => ({
    ...remoteOf(conversation, device),
    active: true,
    grant: grantOf(step, conversation, device),
    ...fromHere(conversation),
  }))
  const remotes = withinLimit([...kept, ...added])
  const came = remotes.filter((remote) => findRemote(conversation, remote.device)?.active !== remote.active)
  const next = came.filter(({ active }) => active).map(({ fromSegment }) => fromSegment)
  const nextSegment = Math.max(conversation.nextSegment, ...next)
  const refreshed = { ...conversation, remotes, nextSegment }
  putConversation(step, refreshed)
  return refreshed
}

/** By which operation an account came in; nothing where none is needed. */
const grantOf = (step: Step, conversation: Conversation, { account }: DeviceAddress): Uint8Array =>
  (isGroup(conversation) ? membershipOf(step, conversation).members.get(idHex(account))?.joined : null) ??
  new Uint8Array(0)

const fromHere = ({ aseq, count, segment }: Conversation) => ({
  from: aseq,
  fromSegment: count === 0 ? 0 : segment + 1,
  sealedUpTo: aseq,
  got: { upTo: aseq, holes: [] },
})

/**
 * Number of a segment by its id: one that exists here, or the next, which its author opened. Ids are hashes,
 * so the numbers are found by computing them.
 */
export function segmentNumber(
  step: Step,
  conversation: Conversation,
  segment: Uint8Array,
): number | undefined {
  const { crypto, live } = step.context
  const key = idHex(conversation.conversation)
  const known = live.segments.get(key) ?? new Map<string, number>()
  live.segments.set(key, known)
  const last = Math.max(conversation.segment, leastSegment(step, conversation)) + 1
  for (let n = known.size; n <= last; n++)
    known.set(toHex(segmentId(crypto, conversation.conversation, n)), n)
  return known.get(toHex(segment))
}

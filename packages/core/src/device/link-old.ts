import { openRecords, recordKey } from '../discovery/index.ts'
import { UsageError } from '../errors.ts'
import {
  addArgs,
  addOps,
  approvalEntropyBytes,
  approvalReceives,
  beginApproval,
  confirmApproval,
  deliverApproval,
  endApproval,
  linkCandidates,
  linkProtocol,
  logOps,
  parseLinkInput,
  peerIdOf,
  readingLinkPlaces,
  writeDeviceOp,
  type ApprovalStep,
  type ApprovalTarget,
  type DeviceCertificate,
  type LinkCode,
  type LinkRefusal,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toBase32 } from '../wire/index.ts'
import { learnLog, takeBundles } from './accounts.ts'
import type { Commands, HistoryChoice } from './api.ts'
import type { GetPurpose, OldLinking, Step } from './context.ts'
import { conversationNow, findRemote, putConversation, withRemote } from './conversations.ts'
import { revokeOwn } from './cut-devices.ts'
import { siblingsSeen } from './cuts.ts'
import { emit } from './events.ts'
import { isCompared, tellOne } from './group-exchange.ts'
import { openSegment, pinDevicesOf } from './group-ops.ts'
import { isGroup, lostOps, takesPart } from './groups.ts'
import { failLinking, sendLinkFrames } from './linking.ts'
import { offlineLink } from './link-new.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { currentBundle } from './prekeys.ts'
import { beganMs } from './segments.ts'
import { conversationRows, type Conversation } from './tables.ts'
import { wakeAt } from './timers.ts'

/** Linking, at a device of the account: it goes to the new one, and after both persons agreed writes it into the log. */

/** How long a code is looked for, and the pause between looks. */
const lookMs = 45_000
const lookAgainMs = 2_000

type Settle = (value: unknown) => void
type Fail = (error: unknown) => void

/** Goes to the device behind a link or a code; both then show the same pictures. */
export function commandLinkApprove(
  step: Step,
  input: Commands['link-approve']['in'],
  settle: Settle,
  fail: Fail,
): void {
  requireMe(step)
  const { live } = step.context
  if (!live.online) throw offlineLink()
  const history = checkHistory(input.history ?? 'none')
  const parsed = parseLinkInput(input.code)
  if (!parsed.ok)
    throw new UsageError(parsed.code, 'this is neither a link nor a code of a new device', {
      detail: { reason: parsed.reason },
    })
  const before = live.linking
  if (before?.at === 'old') endOld(step, before, endApprovalOf(before, 'cancelled'))
  const linking: OldLinking = {
    ...{ at: 'old', history, targets: [], looking: 0, records: [], code: undefined },
    ...{ approval: undefined, channel: undefined, wrong: false, compared: false },
    ...{ target: undefined, opening: false, deviceId: undefined, lookUntilMs: 0, lookAgainMs: undefined },
    waiting: { settle, fail },
  }
  live.linking = linking
  wakeAt(step, step.monoMs + limits.linkMs)
  if (parsed.way === 'link') {
    linking.targets.push({ way: 'link', link: parsed.link })
    return tryNext(step, linking)
  }
  linking.code = parsed.code
  linking.lookUntilMs = step.monoMs + lookMs
  look(step, linking, parsed.code)
}

/** Asks the DHT for every place a device with this code may have left word at. */
function look(step: Step, linking: OldLinking, code: LinkCode): void {
  const { crypto } = step.context
  for (const { seed, day, slot } of readingLinkPlaces(crypto, code.locator, step.nowMs)) {
    const discovery = crypto.signKeyPair(seed).publicKey
    const key = recordKey(crypto, discovery, { day, slot })
    if (key === undefined) continue
    linking.looking += 1
    step.effects.push({ kind: 'get', key, purpose: { for: 'link', discovery, day, slot } })
  }
}

function checkHistory(history: HistoryChoice): HistoryChoice {
  if (history === 'all' || history === 'none') return history
  if (Number.isSafeInteger(history.days) && history.days > 0) return history
  throw new UsageError('E_HISTORY', 'history is all, none or a number of days')
}

/** The DHT answered for one place a new device may have left word at. */
export function linkPlaceRead(
  step: Step,
  { discovery, day, slot }: Extract<GetPurpose, { readonly for: 'link' }>,
  values: readonly Uint8Array[],
): void {
  const { linking } = step.context.live
  if (linking?.at !== 'old' || linking.code === undefined) return
  linking.looking -= 1
  for (const { plaintext } of openRecords(step.context.crypto, discovery, { day, slot }, values, step.nowMs))
    linking.records.push(plaintext)
  if (isIdle(linking) && linking.targets.length === 0) {
    const { code } = linking
    for (const device of linkCandidates(linking.records.splice(0)))
      linking.targets.push({ way: 'code', code, device })
  }
  if (!isIdle(linking)) return
  const nobody = linking.looking === 0 && linking.targets.length === 0 && !linking.wrong
  if (nobody && step.monoMs < linking.lookUntilMs) {
    // The new device may not have found the DHT yet.
    linking.lookAgainMs = step.monoMs + lookAgainMs
    wakeAt(step, linking.lookAgainMs)
  } else tryNext(step, linking)
}

const isIdle = (linking: OldLinking): boolean => linking.approval === undefined && !linking.opening

/** Goes to the next device that may be the one; when there is none, says why. */
function tryNext(step: Step, linking: OldLinking): void {
  const target = linking.targets.shift()
  if (target === undefined) {
    if (linking.looking > 0) return
    step.context.live.linking = undefined
    return failLinking(step, linking, linking.wrong ? 'wrong-secret' : 'closed')
  }
  linking.target = target
  linking.opening = true
  const { transportKey, addresses } = target.way === 'link' ? target.link : target.device
  step.effects.push({
    kind: 'open',
    peer: peerIdOf(transportKey),
    addresses,
    protocol: linkProtocol,
    purpose: { for: 'link' },
  })
}

/** The channel to the new device is open, or could not be opened. */
export function linkOpened(step: Step, channel: number | undefined): void {
  const { linking, channels } = step.context.live
  if (linking?.at !== 'old' || linking.target === undefined) {
    if (channel !== undefined) step.effects.push({ kind: 'close', channel })
    return
  }
  linking.opening = false
  if (channel === undefined) return tryNext(step, linking)
  linking.channel = channel
  const target: ApprovalTarget = linking.target
  const entropy = step.context.random.bytes(approvalEntropyBytes)
  const begun = beginApproval(step.context.crypto, target, entropy, step.monoMs)
  entropy.fill(0)
  if (channels.has(channel)) take(step, linking, begun)
}

/** A frame of the new device. */
export async function linkAnswered(step: Step, channel: number, frame: Uint8Array): Promise<void> {
  const { linking } = step.context.live
  if (linking?.at !== 'old' || linking.channel !== channel || linking.approval === undefined) return
  const next = approvalReceives(step.context.crypto, linking.approval, frame, step.monoMs)
  take(step, linking, next)
  for (const event of next.events)
    if (event.kind === 'certified') await admit(step, linking, event.certificate)
}

export function approvalClosed(step: Step, channel: number): void {
  const { linking } = step.context.live
  if (linking?.at !== 'old' || linking.channel !== channel) return
  linking.channel = undefined
  if (linking.approval !== undefined) take(step, linking, endApproval(linking.approval, 'closed'))
}

export function tickLinkApproval(step: Step): void {
  const { linking } = step.context.live
  if (linking?.at === 'old' && linking.lookAgainMs !== undefined && linking.code !== undefined) {
    if (step.monoMs < linking.lookAgainMs) wakeAt(step, linking.lookAgainMs)
    else {
      linking.lookAgainMs = undefined
      look(step, linking, linking.code)
    }
  }
  if (linking?.at !== 'old' || linking.approval === undefined) return
  const { deadlineMs } = linking.approval
  if (step.monoMs >= deadlineMs) take(step, linking, endApproval(linking.approval, 'expired'))
  else wakeAt(step, deadlineMs)
}

/** The person at this device has compared the pictures. */
export function confirmOld(
  step: Step,
  linking: OldLinking,
  match: boolean,
  settle: Settle,
  fail: Fail,
): void {
  const { approval } = linking
  if (approval?.stage.at !== 'compared') throw new UsageError('E_LINK_STATE', 'there is nothing to confirm')
  linking.waiting = { settle, fail }
  if (!match) return endOld(step, linking, endApproval(approval, 'cancelled'))
  const { crypto } = step.context
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log === undefined) throw new UsageError('E_LINK_STATE', 'there is no account here')
  const account = { account: log.account, name: self.name, nowMs: step.nowMs }
  take(step, linking, confirmApproval(crypto, approval, account, step.monoMs))
}

const endApprovalOf = (linking: OldLinking, why: 'cancelled'): ApprovalStep | undefined =>
  linking.approval === undefined ? undefined : endApproval(linking.approval, why)

function endOld(step: Step, linking: OldLinking, ended: ApprovalStep | undefined): void {
  linking.targets.length = 0
  if (ended !== undefined) {
    take(step, linking, ended)
    return
  }
  failLinking(step, linking, 'cancelled')
  step.context.live.linking = undefined
}

function take(step: Step, linking: OldLinking, next: ApprovalStep): void {
  linking.approval = next.state
  step.spent.push(...next.spent)
  const ended = next.events.find(({ kind }) => kind === 'ended' || kind === 'finished')
  sendLinkFrames(step, linking.channel, next.send, ended !== undefined)
  if (ended === undefined) wakeAt(step, next.state.deadlineMs)
  for (const event of next.events) {
    switch (event.kind) {
      case 'compare': {
        const emoji = event.emoji.map(({ symbol }) => symbol)
        linking.compared = true
        emit(step, { type: 'link', state: 'compare', emoji })
        settle(step, linking, { emoji, deviceName: event.deviceName })
        break
      }
      case 'finished':
        linked(step, linking, event.bundle)
        break
      case 'ended':
        failed(step, linking, event.reason)
        break
      case 'certified':
        break
    }
  }
}

function settle(step: Step, linking: OldLinking, value: unknown): void {
  const { waiting } = linking
  linking.waiting = undefined
  step.effects.push({
    kind: 'settle',
    run: () => waiting?.settle(value),
    fail: (error) => waiting?.fail(error),
  })
}

/** Another device with the same first characters, or somebody else's; the next one may be the one meant. */
function failed(step: Step, linking: OldLinking, reason: LinkRefusal): void {
  linking.approval = undefined
  linking.channel = undefined
  linking.wrong ||= reason === 'wrong-secret'
  if (!linking.compared && (linking.targets.length > 0 || linking.looking > 0)) return tryNext(step, linking)
  step.context.live.linking = undefined
  failLinking(step, linking, reason)
}

/** Both persons agreed: the device is written into the log, and everything is handed over. */
async function admit(step: Step, linking: OldLinking, certificate: DeviceCertificate): Promise<void> {
  await forgetHalfLinked(step, certificate)
  const me = requireMe(step)
  const { crypto } = step.context
  const log = storedLog(step, me.self.account)
  const { approval } = linking
  if (log === undefined || approval === undefined) return
  const own = { identity: me.identity, device: me.self.device }
  const op = writeDeviceOp(crypto, log, own, addArgs(certificate), step.nowMs)
  const added = addOps(crypto, log, [op.bytes], step.nowMs)
  if (added.added.length !== 1) {
    endOld(step, linking, endApproval(approval, 'cancelled'))
    return
  }
  learnLog(step, added.log)
  linking.deviceId = certificate.device
  for (const conversation of step.tx.all(conversationRows)) await consent(step, conversation, linking)
  take(
    step,
    linking,
    deliverApproval(
      crypto,
      approval,
      {
        ops: logOps(added.log),
        discoverySeed: me.self.discoverySeed,
        introductions: [],
        bundle: currentBundle(step),
      },
      step.monoMs,
    ),
  )
}

/**
 * Takes off the list what an earlier try to link the same machine wrote there. A new device begins again only while it
 * has no account, with new keys at the transport key it had, so that nobody will ever speak for the device of that try.
 */
async function forgetHalfLinked(step: Step, { device, transportKey }: DeviceCertificate): Promise<void> {
  const { account } = requireMe(step).self
  const before = storedLog(step, account)
  for (const one of before === undefined ? [] : stateOf(step, before).active.values()) {
    if (!equalBytes(one.transportKey, transportKey) || equalBytes(one.device, device)) continue
    const log = storedLog(step, account)
    if (log !== undefined) await revokeOwn(step, log, one.device)
  }
}

/** What of a conversation the new device is shown, and that it is told who is in. */
async function consent(step: Step, before: Conversation, linking: OldLinking): Promise<void> {
  const conversation = conversationNow(step, before)
  const device = linking.deviceId
  const remote = device === undefined ? undefined : findRemote(conversation, device)
  if (remote === undefined) return
  const fromSegment = await firstShown(step, conversation, linking.history)
  if (takesPart(step, conversation) && lostOps(step, conversation) === 0) {
    // A segment opened right behind a grant would be taken for the one its newcomer reads from.
    if (isGroup(conversation) || conversation.aseq > 0)
      await pinDevicesOf(step, conversation, requireMe(step).self.account)
    await openSegment(step, conversation)
  }
  const now = conversationNow(step, conversation)
  const held = findRemote(now, remote.device) ?? remote
  if (fromSegment !== undefined) putConversation(step, withRemote(now, { ...held, fromSegment }))
  if (isCompared(step, now) || siblingsSeen(step, now, remote)?.length) tellOne(step, now, remote)
}

/** The first segment that holds something within the days asked for. */
async function firstShown(
  step: Step,
  conversation: Conversation,
  history: HistoryChoice,
): Promise<number | undefined> {
  if (history === 'none') return undefined
  if (history === 'all') return 0
  const sinceMs = step.nowMs - history.days * 24 * 60 * 60 * 1_000
  const id = conversation.conversation
  for (let n = conversation.segment; n > 0; n--) {
    const began = await beganMs(step, id, n)
    if (began !== undefined && began < sinceMs) return n
  }
  return 0
}

/** The new device has stored everything. */
function linked(step: Step, linking: OldLinking, bundle: Uint8Array): void {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log !== undefined) takeBundles(step, log, [bundle])
  step.context.live.linking = undefined
  const deviceId = toBase32(linking.deviceId ?? self.device)
  const done = { accountId: toBase32(self.account), deviceId }
  settle(step, linking, done)
  emit(step, { type: 'link', state: 'linked', ...done })
}

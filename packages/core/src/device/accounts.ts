import {
  addOps,
  emptyLog,
  logOps,
  missingFrom,
  peerIdOf,
  readBundle,
  readGenesis,
  type AccountId,
  type ActiveDevice,
  type DeviceLog,
  type KeyBundle,
  type LogOpId,
  type LogState,
} from '../identity/index.ts'
import { Secret } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, fromHex, idHex, toBase32 } from '../wire/index.ts'
import { noteAccount, noteDevice } from './audit.ts'
import type { Step } from './context.ts'
import { refreshRemotes } from './conversations.ts'
import { emit } from './events.ts'
import { newContact, newPeer } from './contacts.ts'
import { accountsIn, isGroup, membershipOf } from './groups.ts'
import { linkTo, peersOf } from './lookup.ts'
import { activeDevice, putLog, stateOf, storedLog } from './logs.ts'
import { isOwn, requireMe } from './me.ts'
import type { PayloadItem } from './payload.ts'
import { currentBundle } from './prekeys.ts'
import { tendAllQueues } from './relay-queues.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  logRows,
  onlyRow,
  pairwiseRows,
  peerRows,
  requestRows,
  selfRows,
  type Peer,
} from './tables.ts'
import { sureNow } from './timers.ts'

type DeviceChange = 'added' | 'revoked' | 'forked'

/**
 * Takes a device log as it is now. What it changes is told before anything goes to a new device: an event, and a
 * line in every conversation shared with the account.
 */
export function learnLog(step: Step, log: DeviceLog): void {
  const account = log.account.id
  const known = storedLog(step, account)
  if (known !== undefined && logOps(known).length === logOps(log).length) return
  const before = known === undefined ? undefined : stateOf(step, known)
  putLog(step, log)
  const after = stateOf(step, log)
  ensurePeers(step, log)
  if (before !== undefined) {
    tellChanges(step, account, before, after)
    tellRecovery(step, known, log)
  }
  tellDoubts(step, before, after)
  if (isOwn(step, { account })) tellContacts(step)
  for (const conversation of step.tx.all(conversationRows))
    if (accountsIn(step, conversation).some((one) => equalBytes(one, account)))
      refreshRemotes(step, conversation)
}

/** The recovery key spoke again: whoever verified the account should look. */
function tellRecovery(step: Step, before: DeviceLog | undefined, after: DeviceLog): void {
  const words = (log: DeviceLog | undefined): number =>
    log?.entries.filter(({ op }) => op.author.kind === 'recovery').length ?? 0
  if (words(after) === words(before)) return
  const { id } = after.account
  emit(step, { type: 'account', accountId: toBase32(id), change: 'recovered' })
  noteAccount(step, id, 'account-recovered')
}

/** The account contradicts itself: whoever talks to it should ask in another way. */
function tellDoubts(step: Step, before: LogState | undefined, after: LogState): void {
  for (const change of ['contested', 'accused'] as const) {
    if (!doubts[change](after) || (before !== undefined && doubts[change](before))) continue
    emit(step, { type: 'account', accountId: toBase32(after.account), change })
    noteAccount(step, after.account, `conflict-account-${change}`)
  }
}

const doubts = {
  contested: ({ contested }: LogState): boolean => contested !== null,
  accused: ({ accusations }: LogState): boolean => accusations.some(({ answered }) => !answered),
}

/** The own devices changed: contacts hear of it with a new card, whose payload names the new heads. */
function tellContacts(step: Step): void {
  const { self } = requireMe(step)
  step.tx.put(selfRows, onlyRow, { ...self, cardSeq: self.cardSeq + 1 })
}

/** Adds what a peer, or this device, said to a log it may extend; the log as it is then. */
export function extendLog(step: Step, log: DeviceLog, ops: readonly Uint8Array[]): DeviceLog {
  const result = addOps(step.context.crypto, log, ops, step.nowMs)
  if (result.added.length > 0) learnLog(step, result.log)
  return result.log
}

/** Makes every active device of an account known as a peer. */
export function ensurePeers(step: Step, log: DeviceLog): void {
  for (const device of stateOf(step, log).active.values()) ensurePeer(step, device)
}

function ensurePeer(step: Step, device: ActiveDevice): void {
  if (equalBytes(device.device, requireMe(step).self.device)) return
  const known = step.tx.get(peerRows, device.device)
  const peerId = peerIdOf(device.transportKey)
  if (known === undefined) step.tx.put(peerRows, device.device, { ...newPeer(device), peerId })
}

function tellChanges(step: Step, account: AccountId, before: LogState, after: LogState): void {
  const tell = (device: string, change: DeviceChange): void => {
    const deviceId = toBase32(fromHex(device))
    emit(step, { type: 'device', accountId: toBase32(account), deviceId, change })
    noteDevice(step, account, fromHex(device), change)
  }
  for (const key of after.active.keys()) if (!before.active.has(key)) tell(key, 'added')
  for (const key of after.revoked.keys()) if (!before.revoked.has(key)) tell(key, 'revoked')
  const known = new Set(before.forked.map(({ device }) => idHex(device)))
  for (const { device } of after.forked) if (!known.has(idHex(device))) tell(idHex(device), 'forked')
}

/** What another device should know of an account: its log, and the newest bundles of its devices. */
export function accountItem(
  step: Step,
  account: AccountId,
  knownHeads: readonly LogOpId[],
  budgetBytes: number,
): PayloadItem | undefined {
  const log = storedLog(step, account)
  if (log === undefined) return undefined
  const { ops } = missingFrom(log, knownHeads)
  const { self } = requireMe(step)
  const own = equalBytes(account, self.account)
  const bundles = peersOf(step, account).flatMap(({ bundle, device }) =>
    bundle === null || activeDevice(step, log, device) === undefined ? [] : [bundle],
  )
  if (own) bundles.unshift(currentBundle(step))
  const name = own ? self.name : (step.tx.get(contactRows, account)?.name ?? '')
  const told = withinBytes(ops, limits.payloadLogOps, budgetBytes)
  return {
    kind: 'account',
    genesis: log.account.bytes,
    name,
    ops: told,
    bundles: withinBytes(bundles, limits.activeDevices, budgetBytes - sizeOf(told)),
  }
}

/** The first ones that fit: at most so many, and together at most so many bytes. */
export function withinBytes(
  list: readonly Uint8Array[],
  count: number,
  budgetBytes: number,
): readonly Uint8Array[] {
  let size = 0
  return list.slice(0, count).filter((one) => (size += one.length) <= budgetBytes)
}

/** Bytes of a list. */
export const sizeOf = (list: readonly Uint8Array[]): number => list.reduce((sum, one) => sum + one.length, 0)

type AccountItem = Extract<PayloadItem, { readonly kind: 'account' }>

/** Takes in what a device of ours, a contact or a member says of an account: its log proves itself, as bundles do. */
export function receiveAccount(step: Step, item: AccountItem): void {
  const { crypto } = step.context
  const account = readGenesis(crypto, item.genesis)
  if (account === undefined) return
  const known = storedLog(step, account.id)
  if (known === undefined) makeRoom(step)
  if (known === undefined && step.tx.all(logRows).length >= limits.knownAccounts) return
  const added = addOps(crypto, known ?? emptyLog(account), item.ops, step.nowMs)
  if (known === undefined && added.added.length === 0) return
  learnLog(step, added.log)
  if (equalBytes(account.id, requireMe(step).self.account)) return takeBundles(step, added.log, item.bundles)
  const contact = step.tx.get(contactRows, account.id)
  if (contact === undefined) {
    step.tx.put(contactRows, account.id, {
      ...newContact(step, account.id),
      state: contactStates.member,
      name: item.name,
    })
    // Its devices may have no other way here.
    tendAllQueues(step)
  }
  takeBundles(step, added.log, item.bundles)
}

/**
 * Accounts that were introduced and turned out to be in no group of ours are kept in a limited number; the oldest go
 * first, so that whoever introduces without end keeps nobody else's introductions out for long.
 */
function makeRoom(step: Step): void {
  const introduced = step.tx.all(contactRows).filter(({ state }) => state === contactStates.member)
  if (introduced.length < limits.looseAccounts) return
  const needed = new Set<string>()
  for (const conversation of step.tx.all(conversationRows)) {
    if (!isGroup(conversation)) continue
    const { accounts, members } = membershipOf(step, conversation)
    for (const key of [...accounts.keys(), ...members.keys()]) needed.add(key)
  }
  const loose = introduced.filter(({ account }) => !needed.has(idHex(account)))
  loose.sort((a, b) => a.addedAtMs - b.addedAtMs)
  for (const { account } of loose.slice(0, Math.max(0, loose.length - limits.looseAccounts + 1)))
    forgetAccount(step, account)
}

function forgetAccount(step: Step, account: AccountId): void {
  for (const { device } of peersOf(step, account)) {
    step.tx.delete(peerRows, device)
    step.tx.delete(pairwiseRows, device)
    step.context.live.peers.delete(idHex(device))
  }
  step.tx.delete(contactRows, account)
  step.tx.delete(logRows, account)
  step.context.live.logsVersion += 1
}

/** A stranger who waits for the person's word and turns out to be in a group of ours is a member of it. */
export function becomeMember(step: Step, account: AccountId): void {
  const contact = step.tx.get(contactRows, account)
  if (contact?.state !== contactStates.requested) return
  step.tx.put(contactRows, account, { ...contact, state: contactStates.member })
  step.tx.delete(requestRows, account)
  tendAllQueues(step)
}

/** Takes bundles of an account's devices: hints about where they are, each signed by its device. */
export function takeBundles(step: Step, log: DeviceLog, bundles: readonly Uint8Array[]): void {
  const { crypto } = step.context
  for (const bytes of bundles) {
    const read = readBundle(crypto, bytes, sureNow(step))
    if (read.verdict !== 'accepted') continue
    const { value } = read
    const peer = step.tx.get(peerRows, value.certificate.device)
    if (peer === undefined || activeDevice(step, log, peer.device) === undefined) continue
    const held = peer.bundle === null ? undefined : readBundle(crypto, peer.bundle, 0)
    if (held?.verdict === 'accepted' && held.value.seq >= value.seq) continue
    step.tx.put(peerRows, peer.device, withBundle(peer, value))
    const link = linkTo(step, peer.device)
    if (!link.opening) link.nextMs = step.monoMs
  }
}

/** A peer with a newer bundle: where it is, and while it has named no place for us, where it takes first words. */
export function withBundle(peer: Peer, { bytes, addresses, intro }: KeyBundle): Peer {
  const deposits =
    intro === null || peer.deposits.some((one) => !one.intro)
      ? peer.deposits
      : [{ relay: intro.relay, writeSeed: new Secret(intro.writerSeed), intro: true }]
  return { ...peer, bundle: bytes, addresses, deposits }
}

import { accountAt, lastSeenOf, newestOps, type LastSeen } from '../group/index.ts'
import type { AccountId, DeviceAddress, DeviceId, DeviceLog } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow } from './conversations.ts'
import { opSetOf } from './groups.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import type { PayloadItem } from './payload.ts'
import { broughtRows, type Conversation } from './tables.ts'

/** How far the words of devices reach that are out (docs/protocol/group.md §4.2). */

/**
 * The own account's devices that are out, with how far their words reach: as far as this account has said before, or
 * else as they are held here, or as the device itself had said before this one came. What such a device went on to
 * write is held, too, and must not come to count with the next word on it; nor may one that wrote nothing be left to
 * what others say of it. What a device wrote in a conversation that came to be known here only after this device had
 * put it out counts for nothing; `going` is the one that is put out right now.
 */
export function ownCuts(
  step: Step,
  conversation: Conversation,
  going: DeviceId | null = null,
): readonly LastSeen[] {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log === undefined) return []
  const { active } = stateOf(step, log)
  const held = new Map(
    newestSeen(step, conversation, self.account).map((seen) => [idHex(seen.device), seen] as const),
  )
  for (const [key, brought] of broughtWith(step, conversation, log))
    held.set(key, newer(held.get(key) ?? brought, brought))
  for (const seen of siblingsThen(step, conversation))
    held.set(idHex(seen.device), newer(held.get(idHex(seen.device)) ?? seen, seen))
  const said = ownWords(step, conversation, active)
  const unheard = unheardOf(step, conversation, going)
  const cuts = [...log.certificates.values()]
    .filter(({ device }) => !active.has(idHex(device)))
    .map(({ device }) => {
      const key = idHex(device)
      const cut = said.get(key) ?? held.get(key) ?? { device, record: null, op: null }
      return unheard.has(key) ? { ...cut, record: null } : cut
    })
  const wrote = ({ record, op }: LastSeen): number => (record === null && op === null ? 1 : 0)
  return cuts.toSorted((a, b) => wrote(a) - wrote(b)).slice(0, limits.frontierDevices)
}

/**
 * Devices of the account that this one put out, in hexadecimal, with those that fell with them: they had let these in,
 * and nobody else ever speaks of them.
 */
export function removedHere(step: Step): readonly string[] {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log === undefined) return []
  const { active } = stateOf(step, log)
  const own = idHex(self.device)
  const gone = new Set<string>()
  const revoked = new Set<string>()
  for (const { op } of log.entries) {
    if (op.args.kind !== 'revoke') continue
    const device = idHex(op.args.device)
    revoked.add(device)
    if (op.by === own && !active.has(device)) gone.add(device)
  }
  for (const { op } of gone.size === 0 ? [] : log.entries) {
    const came = log.added.get(op.key)?.device
    const fell = came !== undefined && !active.has(came) && !revoked.has(came)
    if (fell && op.by !== null && gone.has(op.by)) gone.add(came)
  }
  return [...gone]
}

/**
 * Devices that this one put out and has said nothing of in a conversation: it did not know the conversation then, or
 * had no part in it.
 */
export function unheardOf(
  step: Step,
  conversation: Conversation,
  going: DeviceId | null = null,
): ReadonlySet<string> {
  const gone = removedHere(step).filter((key) => going === null || key !== toHex(going))
  if (gone.length === 0) return new Set()
  const by = toHex(requireMe(step).self.device)
  const said = new Set(
    opSetOf(step, conversation).entries.flatMap(({ op }) =>
      op.byDevice === by && op.args.kind === 'deviceset'
        ? op.args.last.map(({ device }) => idHex(device))
        : [],
    ),
  )
  return new Set(gone.filter((key) => !said.has(key)))
}

/**
 * The narrowest this account has said of each of its devices, by devices that are active, or that are going out only
 * now: a word of one that was out is none, and what one said before it goes must not be forgotten.
 */
function ownWords(
  step: Step,
  conversation: Conversation,
  active: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, LastSeen> {
  const own = toHex(requireMe(step).self.account)
  const words = opSetOf(step, conversation).entries.flatMap(({ op }) =>
    op.args.kind === 'deviceset' && op.byAccount === own && idHex(op.args.account) === own
      ? op.args.last.map((seen) => ({ seen, by: op.byDevice }))
      : [],
  )
  const cut = new Set(words.filter(({ by }) => active.has(by)).map(({ seen }) => idHex(seen.device)))
  const narrowest = new Map<string, LastSeen>()
  for (const { seen, by } of words) {
    const key = idHex(seen.device)
    if (by === key || (!active.has(by) && cut.has(by))) continue
    narrowest.set(key, narrower(narrowest.get(key) ?? seen, seen))
  }
  return narrowest
}

const newer = (a: LastSeen, b: LastSeen): LastSeen => ({
  device: a.device,
  record: (a.record?.aseq ?? -1) >= (b.record?.aseq ?? -1) ? a.record : b.record,
  op: (a.op?.oseq ?? -1) >= (b.op?.oseq ?? -1) ? a.op : b.op,
})

const narrower = (a: LastSeen, b: LastSeen): LastSeen => ({
  device: a.device,
  record: (a.record?.aseq ?? -1) <= (b.record?.aseq ?? -1) ? a.record : b.record,
  op: (a.op?.oseq ?? -1) <= (b.op?.oseq ?? -1) ? a.op : b.op,
})

/** How far the own words have come, for whoever comes now and is not shown them. */
export function ownSeen(step: Step, { aseq, selfPrev }: Conversation): LastSeen {
  const { device } = requireMe(step).self
  return {
    device,
    record: aseq === 0 || selfPrev === null ? null : { aseq: aseq - 1, id: selfPrev },
    op: null,
  }
}

/**
 * What each device of this account said of its own words when it first wrote down that this one has come: it was in
 * good hands then, for it brought this one. What it says later is no more than its word.
 */
function broughtWith(step: Step, conversation: Conversation, log: DeviceLog): ReadonlyMap<string, LastSeen> {
  const { self } = requireMe(step)
  const own = idHex(self.account)
  const firsts = new Map<string, LastSeen>()
  const chains = new Set<number>()
  for (const { op, chain } of opSetOf(step, conversation).entries) {
    const { args, byAccount, byDevice } = op
    if (args.kind !== 'deviceset' || byAccount !== own || idHex(args.account) !== own || chains.has(chain))
      continue
    if (accountAt(log, args.heads)?.active.has(idHex(self.device)) !== true) continue
    chains.add(chain)
    const seen = lastSeenOf(args.last, byDevice) ?? { device: op.device, record: null, op: null }
    firsts.set(byDevice, narrower(firsts.get(byDevice) ?? seen, seen))
  }
  return firsts
}

/** Who wrote first that a device has come, in hexadecimal; null: the recovery key. */
const broughtBy = (log: DeviceLog, device: DeviceId): string | null | undefined =>
  log.entries.find(({ op }) => log.added.get(op.key)?.device === idHex(device))?.op.by

/** How far the words of siblings had come when this device was brought. */
const siblingsThen = (step: Step, { conversation }: Conversation): readonly LastSeen[] =>
  step.tx.get(broughtRows, conversation)?.last ?? []

/**
 * How far the words of siblings have come, for a device that this one has brought: it may be shown none of them, and
 * would cut them all off where it puts such a sibling out. Operations are shown to all. Undefined: another brought it.
 */
export function siblingsSeen(
  step: Step,
  conversation: Conversation,
  { account, device }: DeviceAddress,
): readonly LastSeen[] | undefined {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (!equalBytes(account, self.account) || log === undefined) return undefined
  if (broughtBy(log, device) !== idHex(self.device)) return undefined
  const found = new Map(siblingsThen(step, conversation).map((seen) => [idHex(seen.device), seen]))
  for (const seen of newestSeen(step, conversation, self.account)) {
    const key = idHex(seen.device)
    found.set(key, newer(found.get(key) ?? seen, seen))
  }
  return [...found.values()].flatMap((seen) =>
    seen.record === null || equalBytes(seen.device, device) || equalBytes(seen.device, self.device)
      ? []
      : [{ ...seen, op: null }],
  )
}

/**
 * Takes what the device that brought this one says of its siblings, and not of itself; once, for later it may be in
 * other hands.
 */
export function takeSiblings(
  step: Step,
  peer: DeviceAddress,
  { conversation, last }: Extract<PayloadItem, { readonly kind: 'siblings' }>,
): void {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log === undefined || broughtBy(log, self.device) !== idHex(peer.device)) return
  if (step.tx.get(broughtRows, conversation) !== undefined) return
  if (step.tx.all(broughtRows).length >= limits.broughtConversations) return
  const others = last.filter(({ device }) => !equalBytes(device, peer.device))
  step.tx.put(broughtRows, conversation, { conversation, last: others })
}

/** The newest record and operation held of each device of an account. */
export function newestSeen(step: Step, conversation: Conversation, account: AccountId): readonly LastSeen[] {
  const found = new Map<string, LastSeen>()
  for (const seen of newestOps(opSetOf(step, conversation), account)) found.set(idHex(seen.device), seen)
  for (const remote of conversationNow(step, conversation).remotes) {
    if (!equalBytes(remote.account, account) || remote.last === null) continue
    const key = idHex(remote.device)
    found.set(key, { device: remote.device, op: found.get(key)?.op ?? null, record: remote.last })
  }
  return [...found.values()].slice(0, limits.frontierDevices)
}

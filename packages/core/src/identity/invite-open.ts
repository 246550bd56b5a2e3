import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { compareBytes, equalBytes, toHex } from '../wire/index.ts'
import { readGenesis, type Account } from './account.ts'
import { readBundle, type IntroQueue, type KeyBundle } from './bundle.ts'
import type { ActiveDevice, DeviceLog, LogState } from './device-log.ts'
import { inviteKeys, type InviteKeys, type InviteLink } from './invite.ts'
import {
  belongsTo,
  openInviteCopy,
  readInviteRecord,
  recordStates,
  signedBy,
  type InviteGroup,
  type InviteRecord,
  type InviteWay,
  type UncheckedRecord,
} from './invite-record.ts'
import { addOps } from './log-add.ts'
import { emptyLog } from './log-admit.ts'
import { resolveLog } from './log-state.ts'

/** What was found for a link, and what is known of its account anyway. */
export interface InviteFindings {
  /** Values relays answered with, sealed. */
  readonly copies: readonly Uint8Array[]
  /** Plaintexts of the DHT record at slot 0 of the invite's discovery key, best first. */
  readonly records: readonly Uint8Array[]
  /** Device log operations of the account known from elsewhere. */
  readonly ops?: readonly Uint8Array[]
}

/** An invite that can be taken up now. Times are Unix milliseconds. */
export interface OpenedInvite {
  readonly keys: InviteKeys
  readonly name: string
  readonly expiresAtMs: number
  readonly uses: number
  readonly seq: number
  readonly inviter: ActiveDevice
  /** The union of the logs found, and what it says. */
  readonly log: DeviceLog
  readonly state: LogState
  /** At least one, each of an active device of the account and unexpired. */
  readonly bundles: readonly KeyBundle[]
  readonly intro: IntroQueue | null
  readonly group: OpenedGroup | null
}

/** The group an invite is into, and who else than its maker may let somebody in: each proved active. */
export interface OpenedGroup extends Omit<InviteGroup, 'ways'> {
  readonly ways: readonly OpenedWay[]
}

export interface OpenedWay {
  readonly log: DeviceLog
  readonly device: ActiveDevice
  readonly bundle: KeyBundle
}

/** The group that an invite was into, which is over. */
interface Over {
  readonly retryable: false
  readonly conversation: Uint8Array | null
}

/** What a link came to. Only `not-found` and `invalid` may end otherwise at another time. */
export type InviteResult =
  | { readonly result: 'ok'; readonly invite: OpenedInvite }
  | ({ readonly result: 'expired'; readonly code: 'E_INVITE_EXPIRED' } & Over)
  | ({ readonly result: 'used'; readonly code: 'E_INVITE_USED' } & Over)
  | ({ readonly result: 'revoked'; readonly code: 'E_INVITE_REVOKED' } & Over)
  /** Something was there, but nothing of the account's; the genuine record may be hidden or late. */
  | { readonly result: 'invalid'; readonly code: 'E_INVITE_UNREACHABLE'; readonly retryable: true }
  /** Nothing was there, or only keys that have expired: the inviter has to come online. */
  | { readonly result: 'not-found'; readonly code: 'E_INVITE_UNREACHABLE'; readonly retryable: true }

const over = ({ group }: InviteRecord) => ({
  retryable: false as const,
  conversation: group?.conversation ?? null,
})
const expired = (record: InviteRecord): InviteResult => ({
  ...{ result: 'expired', code: 'E_INVITE_EXPIRED', ...over(record) },
})
const used = (record: InviteRecord): InviteResult => ({
  ...{ result: 'used', code: 'E_INVITE_USED', ...over(record) },
})
const revoked = (record: InviteRecord): InviteResult => ({
  ...{ result: 'revoked', code: 'E_INVITE_REVOKED', ...over(record) },
})
const invalid = { result: 'invalid', code: 'E_INVITE_UNREACHABLE', retryable: true } as const
const notFound = { result: 'not-found', code: 'E_INVITE_UNREACHABLE', retryable: true } as const

/**
 * Judges everything found for a link (docs/protocol/invite.md §4). A record counts only when a device signed
 * it that is active by the union of all logs found; of those the highest seq speaks. So whoever holds the
 * link can hide the record and never replace it. Looks at `limits.inviteCandidates` candidates, relays' first:
 * a relay lets the inviter alone replace its copy.
 */
export function openInvite(
  crypto: CryptoProvider,
  link: Pick<InviteLink, 'account' | 'secret'>,
  findings: InviteFindings,
  nowMs: number,
): InviteResult {
  const keys = inviteKeys(crypto, link)
  const copies = findings.copies
    .slice(0, limits.inviteCandidates)
    .flatMap((copy) => openInviteCopy(crypto, keys, copy) ?? [])
  const inputs = [...copies, ...findings.records].slice(0, limits.inviteCandidates)
  if (inputs.length === 0) return notFound
  const found = inputs
    .flatMap((input) => readInviteRecord(input) ?? [])
    .filter(({ record }) => belongsTo(record, keys))
  const account = accountOf(crypto, link, found)
  if (account === undefined) return invalid
  const own = found.filter(({ record }) => equalBytes(record.genesis, account.bytes))
  const ops = [...(findings.ops ?? []), ...own.flatMap(({ record }) => record.ops)]
  const { log } = addOps(crypto, emptyLog(account), ops, nowMs)
  return judge(crypto, keys, { log, state: resolveLog(log) }, own, nowMs)
}

/** The account of the link, when some record shows its genesis. */
function accountOf(
  crypto: CryptoProvider,
  link: Pick<InviteLink, 'account'>,
  found: readonly UncheckedRecord[],
): Account | undefined {
  for (const { record } of found) {
    const account = readGenesis(crypto, record.genesis)
    if (account !== undefined && equalBytes(account.id, link.account)) return account
  }
  return undefined
}

interface Known {
  readonly log: DeviceLog
  readonly state: LogState
}

function judge(
  crypto: CryptoProvider,
  keys: InviteKeys,
  known: Known,
  own: readonly UncheckedRecord[],
  nowMs: number,
): InviteResult {
  const genuine = own.filter((one) => signedByDevice(crypto, one, known)).sort(newestFirst)
  const best = genuine.find(({ record }) => known.state.active.has(toHex(record.device)))
  if (best === undefined) return genuine[0] === undefined ? invalid : revoked(genuine[0].record)
  const { record } = best
  if (record.state === recordStates.revoked) return revoked(record)
  if (record.state === recordStates.used) return used(record)
  if (nowMs >= record.expiresAtMs) return expired(record)
  const inviter = known.state.active.get(toHex(record.device))
  const bundles = usableBundles(crypto, record.bundles, known.state, nowMs)
  if (inviter === undefined || bundles.length === 0) return notFound
  const { name, expiresAtMs, uses, seq, intro } = record
  const group = record.group === null ? null : openGroup(crypto, record.group, nowMs)
  return {
    result: 'ok',
    invite: { keys, name, expiresAtMs, uses, seq, inviter, ...known, bundles, intro, group },
  }
}

const openGroup = (crypto: CryptoProvider, group: InviteGroup, nowMs: number): OpenedGroup => ({
  ...group,
  ways: group.ways.flatMap((way) => openWay(crypto, way, nowMs) ?? []),
})

/** Another member's device, if its own log and bundle say so. */
function openWay(crypto: CryptoProvider, way: InviteWay, nowMs: number): OpenedWay | undefined {
  const account = readGenesis(crypto, way.genesis)
  const read = readBundle(crypto, way.bundle, nowMs)
  if (account === undefined || read.verdict !== 'accepted') return undefined
  const { log } = addOps(crypto, emptyLog(account), way.ops, nowMs)
  const device = resolveLog(log).active.get(toHex(read.value.certificate.device))
  const own = device !== undefined && equalBytes(read.value.certificate.account, account.id)
  return own ? { log, device, bundle: read.value } : undefined
}

/** Whether the device a record names signed it, active or not; a device the log does not know signs nothing. */
function signedByDevice(crypto: CryptoProvider, one: UncheckedRecord, { log }: Known): boolean {
  const certificate = log.certificates.get(toHex(one.record.device))
  return certificate !== undefined && signedBy(crypto, one, log.account.id, certificate.identityKey)
}

/** Highest seq first; among equals the lower bytes, so that every reader takes the same. */
const newestFirst = (a: UncheckedRecord, b: UncheckedRecord): number =>
  b.record.seq - a.record.seq || compareBytes(a.body, b.body)

/** The bundles that are what they say, of devices that are active. */
const usableBundles = (
  crypto: CryptoProvider,
  inputs: readonly Uint8Array[],
  state: LogState,
  nowMs: number,
): readonly KeyBundle[] =>
  inputs.flatMap((input) => {
    const read = readBundle(crypto, input, nowMs)
    if (read.verdict !== 'accepted') return []
    const { account, device } = read.value.certificate
    return equalBytes(account, state.account) && state.active.has(toHex(device)) ? [read.value] : []
  })

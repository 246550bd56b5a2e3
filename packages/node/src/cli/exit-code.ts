/** What a process ends with; scripts rely on these numbers. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  network: 3,
  identity: 4,
  quota: 5,
  notFound: 6,
  notRunning: 7,
  timeout: 8,
  storage: 9,
  interrupted: 130,
} as const

const byCode: Readonly<Record<string, number>> = {
  E_ALREADY_INITIALISED: exitCodes.failed,
  E_INVITE_EXPIRED: exitCodes.failed,
  E_INVITE_USED: exitCodes.failed,
  E_INVITE_REVOKED: exitCodes.failed,
  E_INVITE_OWN: exitCodes.failed,
  E_PASSPHRASE_WRONG: exitCodes.failed,
  E_NOT_MEMBER: exitCodes.failed,
  E_NOT_ALLOWED: exitCodes.failed,
  E_NOT_CONNECTED: exitCodes.failed,
  E_NOT_AUTHOR: exitCodes.failed,
  E_MEMBERSHIP_DAMAGED: exitCodes.storage,
  E_LAST_OWNER: exitCodes.failed,
  E_DELETED: exitCodes.failed,
  E_LINK_MALFORMED: exitCodes.usage,
  E_LINK_MISMATCH: exitCodes.identity,
  E_SAFETY_DIFFERS: exitCodes.identity,
  E_LINK_LOST: exitCodes.network,
  E_INVITE_UNREACHABLE: exitCodes.network,
  E_INVITE_NOT_FOUND: exitCodes.notFound,
  E_NOT_FOUND: exitCodes.notFound,
  E_NO_ACCOUNT: exitCodes.notFound,
  E_HOME_LOCKED: exitCodes.notRunning,
  E_STORE_LOCKED: exitCodes.notRunning,
  E_NOT_RUNNING: exitCodes.notRunning,
  E_TIMEOUT: exitCodes.timeout,
  E_OUTBOX_FULL: exitCodes.quota,
  E_INTERRUPTED: exitCodes.interrupted,
}

const byPrefix: readonly (readonly [string, number])[] = [
  ['E_NET_', exitCodes.network],
  ['E_RELAY_', exitCodes.network],
  ['E_LINK_', exitCodes.failed],
  ['E_IDENTITY_', exitCodes.identity],
  ['E_QUOTA_', exitCodes.quota],
  ['E_RATE_', exitCodes.quota],
  ['E_TOO_MANY_', exitCodes.quota],
  ['E_UNKNOWN_', exitCodes.notFound],
  ['E_STORE_', exitCodes.storage],
  ['E_HOME_', exitCodes.storage],
  ['E_KEY_', exitCodes.storage],
]

/** The exit code of a failure, by its code and then by whose fault it is. */
export function exitCodeOf(code: string, fault: 'usage' | 'port' | 'invariant'): number {
  const exact = byCode[code]
  if (exact !== undefined) return exact
  const family = byPrefix.find(([prefix]) => code.startsWith(prefix))
  if (family !== undefined) return family[1]
  return fault === 'usage' ? exitCodes.usage : exitCodes.failed
}

import type { CryptoProvider, SignKeyPair } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'
import type { DeviceKeys } from './certificate.ts'
import type { DeviceLog, LogEntry } from './device-log.ts'
import type { DeviceId, LogOpId } from './ids.ts'
import { headEntries } from './log-add.ts'
import { signDeviceOp, signRecoveryOp, type KnownLogOpArgs, type LogOp } from './log-op.ts'

/**
 * Writes a device's next operation onto everything it knows. The caller adds it with `addOps` and stores the
 * log before it sends it: a device that writes two operations with one number is out.
 */
export function writeDeviceOp(
  crypto: CryptoProvider,
  log: DeviceLog,
  own: Pick<DeviceKeys, 'identity'> & { readonly device: DeviceId },
  args: KnownLogOpArgs,
  tsMs: number,
): LogOp {
  const last = lastOf(log, toHex(own.device))
  const place = { account: log.account.id, prevHeads: headsToName(log, last), tsMs }
  const author = { device: own.device, selfSeq: (last?.op.seq ?? 0) + 1, selfPrev: last?.op.id ?? null }
  return signDeviceOp(crypto, own, author, place, args)
}

/** Writes the recovery key's next operation; its first is the add of the account's first device. */
export function writeRecoveryOp(
  crypto: CryptoProvider,
  log: DeviceLog,
  recovery: SignKeyPair,
  args: KnownLogOpArgs,
  tsMs: number,
): LogOp {
  const last = lastOf(log, null)
  if (last === undefined && args.kind !== 'add')
    throw new UsageError('E_LOG_OP', 'the recovery key begins with the add of the first device')
  const place = { account: log.account.id, prevHeads: headsToName(log, last), tsMs }
  const author = { rseq: (last?.op.seq ?? -1) + 1, rprev: last?.op.id ?? null }
  return signRecoveryOp(crypto, recovery, author, place, args)
}

/** An author's operation with the highest number; of a forked author's the lowest id among these. */
function lastOf(log: DeviceLog, author: string | null): LogEntry | undefined {
  let last: LogEntry | undefined
  for (const chain of log.chains) {
    if (chain.author !== author) continue
    const tip = log.entries[chain.entries.at(-1) ?? -1]
    if (tip === undefined) continue
    const ahead = tip.op.seq - (last?.op.seq ?? -1)
    if (last === undefined || ahead > 0 || (ahead === 0 && tip.op.key < last.op.key)) last = tip
  }
  return last
}

/** All heads; of a flood the author's own and the deepest, as many as an operation may name. */
function headsToName(log: DeviceLog, own: LogEntry | undefined): readonly LogOpId[] {
  const heads = [...headEntries(log)]
  if (heads.length <= limits.deviceLogHeads) return heads.map((entry) => entry.op.id)
  const rest = heads.filter((entry) => entry !== own).sort((a, b) => b.depth - a.depth)
  const named = [...(own === undefined ? [] : [own]), ...rest].slice(0, limits.deviceLogHeads)
  return named.map((entry) => entry.op.id)
}

/**
 * The cut to propose for a revoke: the number of the device's last operation before the time a person names,
 * 0 when there is none. Devices it added later are out with it.
 */
export function cutBefore(log: DeviceLog, device: DeviceId, atMs: number): number {
  const author = toHex(device)
  let cut = 0
  for (const { op } of log.entries) if (op.by === author && op.tsMs < atMs) cut = Math.max(cut, op.seq)
  return cut
}

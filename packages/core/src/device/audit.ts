import type { AccountId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toBase32 } from '../wire/index.ts'
import type { AuditView } from './api.ts'
import type { Step } from './context.ts'
import { accountsIn } from './groups.ts'
import { metaOf } from './events.ts'
import { stateOf, storedLog } from './logs.ts'
import { counterKey } from './row.ts'
import { auditRows, metaRows, onlyRow, type Audit, type Conversation } from './tables.ts'

/**
 * The control plane as people may read it: who brought a device, who let whom in, what was resolved against
 * somebody's word. Lines are kept here only and hold no content of messages.
 */
export function note(step: Step, line: Omit<Audit, 'seq' | 'atMs'>): void {
  const meta = metaOf(step)
  const seq = meta.auditSeq + 1
  step.tx.put(metaRows, onlyRow, { ...meta, auditSeq: seq })
  step.tx.put(auditRows, counterKey(seq), { ...line, seq, atMs: step.nowMs })
  if (seq > limits.auditLines) step.tx.delete(auditRows, counterKey(seq - limits.auditLines))
}

/** A line about a device of an account; it is read in every conversation the account takes part in. */
export const noteDevice = (
  step: Step,
  account: AccountId,
  device: Uint8Array,
  change: 'added' | 'revoked' | 'forked' | 'expired' | 'rolled-back',
): void => {
  note(step, { conversation: null, kind: `device-${change}`, by: null, subject: account, device, detail: '' })
}

/** A line about a whole account, in every conversation it takes part in. */
export const noteAccount = (step: Step, account: AccountId, kind: string): void => {
  note(step, { conversation: null, kind, by: null, subject: account, device: null, detail: '' })
}

/** The lines of a conversation, or all, oldest first. */
export function auditOf(step: Step, conversation: Conversation | undefined): readonly AuditView[] {
  const inIt = conversation === undefined ? undefined : accountsIn(step, conversation)
  return step.tx
    .all(auditRows)
    .filter(
      (line) =>
        conversation === undefined ||
        (line.conversation === null
          ? inIt?.some((account) => line.subject !== null && equalBytes(account, line.subject))
          : equalBytes(line.conversation, conversation.conversation)),
    )
    .map((line) => auditView(step, line))
}

const maybeId = (id: Uint8Array | null): string | null => (id === null ? null : toBase32(id))

const auditView = (step: Step, line: Audit): AuditView => ({
  seq: line.seq,
  atMs: line.atMs,
  conversationId: maybeId(line.conversation),
  kind: line.kind,
  by: maybeId(line.by),
  subject: maybeId(line.subject),
  deviceId: maybeId(line.device),
  detail: line.detail,
  proof: proofOf(step, line),
})

/** What convinces anybody that a device contradicted itself, as `readForkProof` takes it. */
function proofOf(step: Step, { kind, subject, device }: Audit): string | null {
  if (kind !== 'device-forked' || subject === null || device === null) return null
  const log = storedLog(step, subject as AccountId)
  if (log === undefined) return null
  const proof = stateOf(step, log).forked.find((found) => equalBytes(found.device, device))
  return proof === undefined ? null : toBase32(proof.bytes)
}

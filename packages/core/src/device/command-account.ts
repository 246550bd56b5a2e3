import { Secret, sizes, encodeWords } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import {
  addArgs,
  createAccount,
  issueCertificate,
  recoveryKeys,
  signRecoveryOp,
  suite,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import { toBase32, utf8 } from '../wire/index.ts'
import type { Commands, SelfView, SettingsView } from './api.ts'
import type { Step } from './context.ts'
import { noteSetting } from './own-values.ts'
import { findMe, requireMe } from './me.ts'
import { refreshPrekeys } from './prekeys.ts'
import { conversationWith } from './conversations.ts'
import { newContact } from './contacts.ts'
import { contactRows, contactStates, logRows, onlyRow, selfRows, type Self } from './tables.ts'

/** Makes the account: recovery key first, then this device under it. Nothing leaves the machine. */
export function commandCreateAccount(step: Step, input: Commands['create-account']['in']): SelfView {
  if (findMe(step) !== undefined)
    throw new UsageError('E_ALREADY_INITIALISED', 'this home has an account already')
  const name = checkName(input.name)
  const { crypto, random } = step.context
  const recovery = new Secret(random.bytes(sizes.seed))
  const recoveryKey = recoveryKeys(crypto, recovery).sign
  const account = createAccount(crypto, recoveryKey.publicKey, random.bytes(sizes.seed))
  const seeds = {
    identitySeed: new Secret(random.bytes(sizes.seed)),
    exchangeSeed: new Secret(random.bytes(sizes.seed)),
    transportSeed: new Secret(random.bytes(sizes.seed)),
    discoverySeed: new Secret(random.bytes(sizes.seed)),
  }
  const keys = {
    identity: crypto.signKeyPair(seeds.identitySeed.expose()),
    agreement: crypto.dhKeyPair(seeds.exchangeSeed.expose()),
  }
  const certificate = issueCertificate(crypto, account.id, keys, {
    transportKey: crypto.signKeyPair(seeds.transportSeed.expose()).publicKey,
    suite,
    minSuite: suite,
    notBeforeMs: step.nowMs,
    notAfterMs: step.nowMs + limits.certificateMs,
  })
  const add = signRecoveryOp(
    crypto,
    recoveryKey,
    { rseq: 0, rprev: null },
    { account: account.id, prevHeads: [], tsMs: step.nowMs },
    addArgs(certificate),
  )
  const self: Self = {
    genesis: account.bytes,
    certificate: certificate.bytes,
    account: account.id,
    device: certificate.device,
    name,
    deviceName: '',
    ...seeds,
    recovery,
    readReceipts: false,
    previews: false,
    cardSeq: 1,
  }
  step.tx.put(selfRows, onlyRow, self)
  step.tx.put(logRows, account.id, { genesis: account.bytes, ops: [add.bytes] })
  makeNotes(step, self)
  refreshPrekeys(step)
  step.effects.push({ kind: 'connect', seed: seeds.transportSeed })
  return selfView(self)
}

/** The account's conversation with itself, which its devices share. */
export function makeNotes(step: Step, { account, name }: Self): void {
  step.tx.put(contactRows, account, { ...newContact(step, account), state: contactStates.own, name })
  conversationWith(step, account)
}

export const selfView = (self: Self): SelfView => ({
  accountId: toBase32(self.account),
  deviceId: toBase32(self.device),
  name: self.name,
  recoveryConfirmed: self.recovery === null,
})

/** A name people see: trimmed, not empty, within the limit, without control characters. */
export function checkName(value: string): string {
  const name = value.trim()
  if (name.length === 0) throw new UsageError('E_NAME', 'a name is needed')
  if (utf8(name).length > limits.nameBytes)
    throw new UsageError('E_NAME', `a name has at most ${limits.nameBytes} bytes`)
  if (/\p{Cc}/u.test(name)) throw new UsageError('E_NAME', 'a name has no control characters')
  return name
}

/** The 24 words, as long as this device still has them. */
export function commandRecoveryWords(step: Step): Commands['recovery-words']['out'] {
  const { recovery } = requireMe(step).self
  if (recovery === null)
    throw new UsageError('E_RECOVERY_CONFIRMED', 'the words were confirmed and are no longer on this device')
  return { words: encodeWords(recovery.expose()) }
}

/** Erases the recovery secret once three words prove that the person has them. */
export function commandConfirmRecovery(step: Step, input: Commands['confirm-recovery']['in']): null {
  const { self } = requireMe(step)
  const { words } = commandRecoveryWords(step)
  const given = Object.entries(input.words)
  const right = given.every(([position, word]) => words[Number(position) - 1] === word.trim().toLowerCase())
  if (given.length < 3 || !right)
    throw new UsageError(
      'E_RECOVERY_WORDS',
      'at least three words by position are needed, and all must be right',
    )
  step.tx.put(selfRows, onlyRow, { ...self, recovery: null })
  return null
}

export const settingsView = (self: Self): SettingsView => ({
  name: self.name,
  deviceName: self.deviceName,
  readReceipts: self.readReceipts,
  previews: self.previews,
})

/** Changes one setting; a new name makes a new card, which contacts are sent. */
export function commandSetSetting(step: Step, input: Commands['set-setting']['in']): SettingsView {
  const { self } = requireMe(step)
  const changed = withSetting(self, input)
  step.tx.put(selfRows, onlyRow, changed)
  if (Object.hasOwn(changed, input.key)) noteSetting(step, input.key, changed[input.key])
  return settingsView(changed)
}

function withSetting(self: Self, { key, value }: Commands['set-setting']['in']): Self {
  switch (key) {
    case 'name':
      return { ...self, name: checkName(value), cardSeq: self.cardSeq + 1 }
    case 'deviceName':
      return { ...self, deviceName: checkName(value), cardSeq: self.cardSeq + 1 }
    case 'readReceipts':
    case 'previews':
      return { ...self, [key]: readSwitch(key, value) }
    default:
      throw new UsageError('E_SETTING', 'there is no such setting')
  }
}

function readSwitch(key: string, value: string): boolean {
  if (['true', 'on', 'yes', '1'].includes(value)) return true
  if (['false', 'off', 'no', '0'].includes(value)) return false
  throw new UsageError('E_SETTING', `${key} is on or off`)
}

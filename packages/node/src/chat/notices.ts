import type { AuditView, DeviceFace } from '@sotto/core'
import { printableLine } from '../cli/printable.ts'
import { short } from '../cli/table.ts'

/** Whose name an account goes by; undefined for the own one. */
export type NameOf = (account: string | null) => string | undefined

const possessive = (name: string | undefined): string => (name === undefined ? 'your' : `${name}’s`)

/** Somebody's removal of somebody did not hold: who wrote it, and who undid that. */
function undoneLine(line: AuditView, nameOf: NameOf): string {
  const who = nameOf(line.subject) ?? 'you'
  const by = line.by === null ? 'somebody' : (nameOf(line.by) ?? 'you')
  if (line.detail === '') return `* The removal of ${who} by ${by} was undone`
  const undoing = nameOf(line.detail) ?? 'you'
  return `! ${who} is back: the removal by ${by} was undone when ${undoing} removed ${by}. To remove again: sotto group remove GROUP WHO`
}

/** A line of the audit as a chat says it; lines it has no words for are named by their kind. */
export function noticeLine(line: AuditView, nameOf: NameOf): string {
  const name = nameOf(line.subject)
  const who = name ?? 'you'
  const by = line.by === null ? undefined : (nameOf(line.by) ?? 'you')
  const device = line.deviceId === null ? '' : short(line.deviceId)
  const ask = name === undefined ? '' : ` If that is news to you, ask ${name} in another way.`
  const words: Readonly<Record<string, string>> = {
    'device-added':
      name === undefined
        ? `! A new device is in your account: ${device}. If that was not you: sotto devices remove ${device} --yes`
        : `! ${name} has a new device, ${device}, which reads along from now on.${ask}`,
    'device-revoked': `* A device of ${who} was removed: ${device}`,
    'device-expired': `* A device of ${who} lapsed: ${device}. It gets nothing new until it is renewed.`,
    'device-forked': `! One of ${possessive(name)} devices contradicts itself: ${device}. A copy of it may be in use.`,
    'device-rolled-back': `! One of ${possessive(name)} devices went back to an older state: ${device}.${ask}`,
    'account-recovered': `! ${name === undefined ? 'Your' : possessive(name)} recovery words were used.${ask}`,
    'conflict-account-contested': `! ${name === undefined ? 'Your' : possessive(name)} recovery words were used twice, and only one of the two was right.${ask}`,
    'conflict-account-accused': `! Two of ${possessive(name)} devices removed each other.${ask}`,
    'member-added':
      by === undefined
        ? `* ${who} joined`
        : line.by === line.subject
          ? `* ${who} opened the group`
          : `* ${by} let ${who} in`,
    'member-removed': by === undefined ? `* ${who} went out` : `* ${by} removed ${who}`,
    'member-left': `* ${who} left`,
    'conflict-removal-undone': undoneLine(line, nameOf),
    'conflict-removal-incomplete': `! ${who} stayed, although ${by ?? 'somebody'} removed them: others had let them in too.`,
    'conflict-ejected': `! ${who} went out because of what became of whoever let them in. To have them back: sotto group add GROUP WHO`,
    'conflict-link-used-twice': `! ${who} came by a link that was used twice at once, and is not in the group. To let them in: sotto group add GROUP WHO`,
    'conflict-policy-overruled': `* Two people changed a rule at once (${printableLine(line.detail)}): what ${by ?? 'somebody'} said counts`,
    'conflict-equivocation': `! One of ${possessive(name)} devices told members different things: ${device}. A copy of it may be in use.`,
    'conflict-no-owner': '! The group has no owner any more. Admins keep what they may do.',
    'role-changed': `* ${who}: ${printableLine(line.detail)} now`,
    'membership-damaged':
      '! What says who is in here was damaged on this disk. It is asked for again from the others; until then nothing is sent here.',
    'membership-repaired': '* What says who is in here is whole again.',
    'membership-lost':
      '! A part of what was decided about this conversation is lost: nobody in it has it any more.',
    'policy-changed': `* ${by ?? 'somebody'} changed a rule of the group (${printableLine(line.detail)})`,
  }
  return words[line.kind] ?? `* Something changed: ${line.kind} (sotto audit shows more)`
}

/** What befell devices, members and rules since it was asked last, in words. Nothing of it can be turned off. */
export class Notices {
  readonly #face: DeviceFace
  #seen = 0

  constructor(face: DeviceFace) {
    this.#face = face
  }

  /** Everything up to now is known. */
  async start(): Promise<void> {
    await this.#fresh()
  }

  /** The lines since the last call, oldest first. */
  async next(): Promise<readonly string[]> {
    const fresh = await this.#fresh()
    if (fresh.length === 0) return []
    const contacts = await this.#face.view('contacts', {})
    const groups = await this.#face.view('conversations', {})
    const self = await this.#face.view('self', {})
    const names = new Map(contacts.map(({ accountId, name }) => [accountId, printableLine(name)]))
    const places = new Map(groups.map(({ conversationId, name }) => [conversationId, printableLine(name)]))
    const nameOf: NameOf = (account) =>
      account === null
        ? 'somebody'
        : account === self?.accountId
          ? undefined
          : (names.get(account) ?? short(account))
    return fresh.map((line) => {
      const place = line.conversationId === null ? undefined : places.get(line.conversationId)
      const words = noticeLine(line, nameOf)
      return place === undefined ? words : `${words} [${place}]`
    })
  }

  async #fresh(): Promise<readonly AuditView[]> {
    const lines = await this.#face.view('audit', {})
    const fresh = lines.filter(({ seq }) => seq > this.#seen)
    this.#seen = Math.max(this.#seen, ...lines.map(({ seq }) => seq))
    return fresh
  }
}

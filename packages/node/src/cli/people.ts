import { PortError, UsageError } from '@sotto/core/ports'
import type { AddedView, DeviceFace, InviteView, RequestView } from '@sotto/core'
import { findContact, findGroup, resolveId } from '../face/who.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { parseCount, parseDurationMs } from './duration.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { printableLine } from './printable.ts'
import { qrText } from './qr.ts'
import { warnWhenNotRunning } from './session.ts'
import { addedJson, contactJson, inviteJson, requestJson } from './shapes.ts'
import { short, table } from './table.ts'

export interface InviteOptions {
  readonly expires?: string
  readonly uses?: string
  readonly direct?: boolean
  readonly group?: string
}

function usesWords(invite: InviteView): string {
  return invite.uses === 1 ? 'once' : `${invite.uses} times`
}

/** How an invite works, in one sentence. */
export function inviteWords(invite: InviteView): string {
  const until = new Date(invite.expiresAtMs).toISOString().slice(0, 10)
  const away = invite.heldBy.length > 0 ? 'and also while you are offline' : 'while this device is online'
  return `It works ${usesWords(invite)}, until ${until}, ${away}.`
}

const givenWords = (invite: InviteView): string =>
  invite.group === null
    ? `Give it to ${invite.uses === 1 ? 'one person' : 'whom you want to hear from'}. ${inviteWords(invite)}`
    : `It leads into ${printableLine(invite.group.name)}. ${inviteWords(invite)}\nWho opens it asks to be let in: sotto requests list`

/** `sotto invite new` */
export const runInviteNew = (context: Context, given: InviteOptions): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const group = given.group === undefined ? undefined : await findGroup(session.face, given.group)
    const input = {
      ...(group === undefined ? {} : { conversationId: group.conversationId }),
      ...(given.expires === undefined ? {} : { expiresInMs: parseDurationMs(given.expires) }),
      ...(given.uses === undefined ? {} : { uses: parseCount(given.uses, 1) }),
      ...(given.direct === undefined ? {} : { direct: given.direct }),
    }
    const invite = await session.face.dispatch('create-invite', input)
    warnWhenNotRunning(context.io, session)
    const qr = context.io.stdoutIsTerminal ? `${qrText(invite.link)}\n` : ''
    return outcome(inviteJson(invite), `${qr}${invite.link}\n\n${givenWords(invite)}`)
  })

/** `sotto invite list` */
export const runInviteList = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const invites = await face.view('invites', {})
    const rows = invites.map((invite) => [
      short(invite.inviteId),
      invite.state,
      `used ${invite.used} of ${invite.uses}`,
      `until ${new Date(invite.expiresAtMs).toISOString().slice(0, 10)}`,
      invite.group === null ? '' : `into ${printableLine(invite.group.name)}`,
      invite.link,
    ])
    return outcome(
      invites.map(inviteJson),
      rows.length > 0 ? table(rows) : 'No invites. Make one: sotto invite new',
    )
  })

/** `sotto invite revoke ID` */
export const runInviteRevoke = (context: Context, typed: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const invites = await face.view('invites', {})
    const ids = invites.map(({ inviteId }) => ({ id: inviteId, name: '' }))
    const invite = await face.dispatch('revoke-invite', { inviteId: resolveId(ids, typed, 'invite') })
    return outcome(inviteJson(invite), 'Revoked. Nobody can use this link any more.')
  })

/** `sotto add LINK` */
export const runAdd = (context: Context, link: string): Promise<Outcome> =>
  onDevice(context, async (session) => {
    if (session.daemon === undefined) {
      throw new UsageError('E_NOT_RUNNING', 'opening a link needs the network, and nothing is running', {
        hint: 'Start it with: sotto up',
      })
    }
    const added = await session.face.dispatch('add', { link: link.trim() })
    return outcome(addedJson(added), addedWords(added))
  })

/** What opening a link came to, and what to do next. */
function addedWords(added: AddedView): string {
  const name = added.name === '' ? 'the group' : printableLine(added.name)
  if (added.group === null) {
    const words =
      added.state === 'connected' ? `Connected with ${name}.` : `Asked ${name}; you can write already.`
    return `${words}\nNext: sotto send ${short(added.accountId)} TEXT`
  }
  const group = printableLine(added.group)
  return added.state === 'connected'
    ? `You are in ${group}.\nNext: sotto send ${short(added.conversationId)} TEXT`
    : `Asked to be let into ${group}, by ${name}’s link. Somebody of the group has to say yes; sotto listen tells when.`
}

/** `sotto requests list` */
export const runRequestsList = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const requests = await face.view('requests', {})
    const rows = requests.map((request) => [
      short(request.requestId),
      new Date(request.atMs).toISOString(),
      printableLine(request.name),
      wantsWords(request),
    ])
    return outcome(requests.map(requestJson), rows.length > 0 ? table(rows) : 'No requests.')
  })

const wantsWords = ({ group }: RequestView): string =>
  group === null ? 'wants to write to you' : `wants into ${printableLine(group.name)}`

async function findRequest(face: DeviceFace, typed: string): Promise<RequestView> {
  const requests = await face.view('requests', {})
  const known = requests.map((request) => ({ id: request.requestId, name: request.name }))
  const id = resolveId(known, typed, 'request')
  const found = requests.find(({ requestId }) => requestId === id)
  if (found === undefined) throw new UsageError('E_NOT_FOUND', 'no request has this id')
  return found
}

/** `sotto requests accept ID` */
export const runRequestsAccept = (context: Context, typed: string): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { requestId, group } = await findRequest(session.face, typed)
    const contact = await session.face.dispatch('accept-request', { requestId })
    warnWhenNotRunning(context.io, session)
    const now = group === null ? 'a contact now' : `in ${printableLine(group.name)} now`
    return outcome({ ...contactJson(contact), group }, `${printableLine(contact.name)} is ${now}.`)
  })

/** `sotto requests ignore ID` */
export const runRequestsIgnore = (context: Context, typed: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { requestId } = await findRequest(face, typed)
    await face.dispatch('ignore-request', { requestId })
    return outcome({ requestId }, 'Ignored; they are not told.')
  })

/** `sotto contacts list` */
export const runContactsList = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const contacts = await face.view('contacts', {})
    const rows = contacts.map((contact) => [
      short(contact.accountId),
      contact.state,
      contact.verified ? 'verified' : '',
      printableLine(contact.name),
    ])
    return outcome(
      contacts.map(contactJson),
      rows.length > 0 ? table(rows) : 'No contacts. Give somebody a link: sotto invite new',
    )
  })

/** `sotto contacts rename WHO NAME` */
export const runContactsRename = (context: Context, who: string, name: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { accountId } = await findContact(face, who)
    const contact = await face.dispatch('rename-contact', { accountId, name })
    return outcome(contactJson(contact), `You see this contact as ${printableLine(contact.name)}.`)
  })

/** `sotto contacts block WHO` and `unblock WHO` */
export const runContactsBlock = (context: Context, who: string, block: boolean): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { accountId } = await findContact(face, who)
    const contact = await face.dispatch(block ? 'block' : 'unblock', { accountId })
    return outcome(
      contactJson(contact),
      `${printableLine(contact.name)} is ${block ? 'blocked' : 'no longer blocked'}.`,
    )
  })

const groupsOfFive = (digits: string, perLine: number): string => {
  const groups = digits.match(/.{1,5}/g) ?? []
  const lines = groups.map((group, at) => group + (at % perLine === perLine - 1 ? '\n' : ' '))
  return lines.join('').trimEnd()
}

/** `sotto contacts safety WHO` */
export const runContactsSafety = (context: Context, who: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const contact = await findContact(face, who)
    const safety = await face.view('safety', { accountId: contact.accountId })
    const { number, deviceState } = safety
    return outcome(
      { number, deviceState },
      `Safety number with ${printableLine(contact.name)}; both of you see the same:\n\n${groupsOfFive(number, 4)}\n\nDevices:\n${groupsOfFive(deviceState, 6)}`,
    )
  })

/** Digits of a safety number, however they were grouped. */
function readSafetyNumber(typed: string): string {
  const digits = typed.replaceAll(/[\s-]/g, '')
  if (/^\d{60}$/.test(digits)) return digits
  throw new UsageError('E_USAGE', 'a safety number has 60 digits', {
    hint: 'sotto contacts safety WHO shows yours; the other person has the same.',
  })
}

/**
 * `sotto contacts verify WHO --number N`: the number as the other person sees it, had in another way than this one.
 * Errors: `E_SAFETY_DIFFERS`, after which nothing has changed.
 */
export const runContactsVerify = (
  context: Context,
  who: string,
  given: { readonly number?: string },
): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    if (given.number === undefined)
      throw new UsageError('E_USAGE', 'verifying needs the number the other person sees: --number DIGITS')
    const told = readSafetyNumber(given.number)
    const { accountId, name } = await findContact(face, who)
    const { number } = await face.view('safety', { accountId })
    if (told !== number)
      throw new PortError('E_SAFETY_DIFFERS', 'the two safety numbers are not the same', {
        hint: `Compare again: sotto contacts safety ${short(accountId)}. If they stay different, somebody may be in between.`,
      })
    const contact = await face.dispatch('verify-contact', { accountId, verified: true })
    return outcome(contactJson(contact), `${printableLine(name)} is verified; your own devices know it too.`)
  })

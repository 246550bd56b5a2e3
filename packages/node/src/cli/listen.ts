import { PortError } from '@sotto/core/ports'
import type { DeviceEvent } from '@sotto/core'
import { follow } from '../face/follow.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { parseCount } from './duration.ts'
import { aborted, outJson, streamsJson } from './io.ts'
import { messageLine } from './message.ts'
import { printableLine } from './printable.ts'
import { connectionWords, eventJson, marks, stateWords } from './shapes.ts'
import { short } from './table.ts'

function linkLine(event: Extract<DeviceEvent, { type: 'link' }>): string {
  switch (event.state) {
    case 'compare':
      return `linking: both devices show ${event.emoji.join(' ')}`
    case 'linked':
      return `linked: device ${short(event.deviceId)}`
    case 'failed':
      return `linking failed (${event.code})`
  }
}

/** One event as a line of text. */
export function eventLine(event: DeviceEvent, previews: boolean): string {
  const of = (name: string, otherwise: string): string => (previews ? printableLine(name) : otherwise)
  switch (event.type) {
    case 'message':
      return previews
        ? messageLine(event.message)
        : `message ${event.message.author.me ? 'of mine' : 'received'}`
    case 'message.edited':
    case 'message.deleted':
    case 'message.reacted': {
      const change = `message ${short(event.message.messageId)} ${event.type.slice('message.'.length)}`
      return previews ? `${change}: ${messageLine(event.message)}` : change
    }
    case 'group':
      return `group ${short(event.conversationId)} changed`
    case 'state':
      return `${marks[event.state]} ${short(event.messageId)} ${stateWords[event.state]}`
    case 'contact':
      return `contact ${of(event.contact.name, short(event.contact.accountId))}: ${event.change}`
    case 'request':
      return `request from ${of(event.request.name, short(event.request.accountId))}`
    case 'invite':
      return `invite ${short(event.invite.inviteId)}: ${event.invite.state}`
    case 'device':
      return `device ${short(event.deviceId)} of ${short(event.accountId)}: ${event.change}`
    case 'account':
      return `account ${short(event.accountId)}: ${event.change}`
    case 'link':
      return linkLine(event)
    case 'draft':
      return `draft in ${short(event.conversationId)} changed on another device`
    case 'read':
      return `${short(event.conversationId)} was read on another device`
    case 'settings':
      return 'settings changed on another device'
    case 'connection':
      return connectionWords[event.connection]
    case 'warning':
      return `warning: ${event.warning.message} (${event.warning.code})`
  }
}

export interface ListenOptions {
  readonly since?: string
  readonly previews?: boolean
}

/** Prints one event of a stream. */
export function outEvent(
  context: Pick<Context, 'io' | 'options'>,
  event: DeviceEvent,
  previews: boolean,
): void {
  if (streamsJson(context)) outJson(context.io, eventJson(event, previews))
  else context.io.out(`${eventLine(event, previews)}\n`)
}

/** `sotto listen`: runs until interrupted or until the daemon ends. */
export const runListen = (context: Context, given: ListenOptions): Promise<void> =>
  onDevice(context, async (session) => {
    const since = given.since === undefined ? undefined : parseCount(given.since, 0)
    const stop = await follow(session.face, since, (event) =>
      outEvent(context, event, given.previews === true),
    )
    const ended =
      session.daemon === undefined
        ? Promise.resolve()
        : Promise.race([session.daemon.closed, aborted(context.io.interrupted)])
    await ended
    stop()
    if (context.io.interrupted.aborted) return
    throw new PortError('E_NOT_RUNNING', 'nothing is running that could bring more events', {
      hint: 'Start it with: sotto up',
      retryable: true,
    })
  })

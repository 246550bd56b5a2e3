import { PortError, UsageError } from '@sotto/core/ports'
import type { DeliveryState, DeviceEvent, DeviceFace, MessageView } from '@sotto/core'
import { StillQueuedError } from '../face/failure.ts'
import { follow } from '../face/follow.ts'
import { findContact } from '../face/who.ts'
import { nodeLimits } from '../limits.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { parseCount, parseDurationMs, parseMomentMs } from './duration.ts'
import { outJson, outcome } from './io.ts'
import type { Io, Outcome } from './io.ts'
import { printable, printableLine } from './printable.ts'
import { clockOffsetMs, warnWhenNotRunning } from './session.ts'
import { connectionWords, eventJson, marks, messageJson, stateWords } from './shapes.ts'

/** All of standard input, up to a bound. */
export async function readStdin(io: Io): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of io.stdin) {
    const part = Buffer.from(chunk as Uint8Array | string)
    bytes += part.length
    if (bytes > nodeLimits.stdinBytes)
      throw new UsageError('E_TEXT', 'standard input is far too long for a message')
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const ranks: Readonly<Record<DeliveryState, number>> = {
  failed: -1,
  waiting: 0,
  relayed: 1,
  delivered: 2,
  read: 3,
}
const aims = { queued: 0, relay: 1, device: 2 } as const
type Aim = keyof typeof aims

function parseAim(text: string | undefined): Aim {
  if (text === undefined) return 'queued'
  if (Object.hasOwn(aims, text)) return text as Aim
  throw new UsageError('E_USAGE', `“${text}” is nothing to wait for`, {
    hint: 'Wait for queued, relay or device.',
  })
}

/** Remembers how far each message came, and wakes whoever waits for one. */
function watchStates(face: DeviceFace) {
  const states = new Map<string, DeliveryState>()
  let wake: () => void = () => undefined
  const stop = face.subscribe((event) => {
    if (event.type !== 'state') return
    states.set(event.messageId, event.state)
    wake()
  })
  /** Resolves with the state once it is at the aim or final, or with the last one when `signal` aborts. */
  const reached = async (message: MessageView, aim: Aim, signal: AbortSignal): Promise<DeliveryState> => {
    for (;;) {
      const state = states.get(message.messageId) ?? message.state ?? 'waiting'
      if (state === 'failed' || ranks[state] >= aims[aim] || signal.aborted) return state
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
  return { reached, stop }
}

/** The state a message came to, or the failure that describes where it stands. */
function judge(message: MessageView, state: DeliveryState, aim: Aim, running: boolean): DeliveryState {
  if (state === 'failed') throw new PortError('E_SEND_FAILED', 'the message could not be sent')
  if (ranks[state] >= aims[aim]) return state
  throw new StillQueuedError(
    message.messageId,
    `the message is ${stateWords[state]}`,
    running ? 'It goes out as soon as it can.' : 'Nothing is running to deliver it. Start it with: sotto up',
  )
}

export interface SendOptions {
  readonly wait?: string
  readonly timeout?: string
}

/** `sotto send WHO TEXT|-` */
export const runSend = (context: Context, who: string, typed: string, given: SendOptions): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const aim = parseAim(given.wait)
    const timeoutMs = parseDurationMs(given.timeout ?? '30s')
    const text = typed === '-' ? (await readStdin(context.io)).replace(/\r?\n$/, '') : typed
    const { conversationId } = await findContact(session.face, who)
    const watch = watchStates(session.face)
    try {
      const message = await session.face.dispatch('send', { conversationId, text })
      warnWhenNotRunning(context.io, session)
      const running = session.daemon !== undefined
      const limit = running && aim !== 'queued' ? AbortSignal.timeout(timeoutMs) : AbortSignal.abort()
      const signal = AbortSignal.any([limit, context.io.interrupted])
      const reached = await watch.reached(message, aim, signal)
      if (context.io.interrupted.aborted) throw new PortError('E_INTERRUPTED', 'interrupted; it stays queued')
      const state = judge(message, reached, aim, running)
      const { messageId } = message
      return outcome({ messageId, conversationId, state }, `${marks[state]} ${stateWords[state]}`)
    } finally {
      watch.stop()
    }
  })

const pageSize = 500

/** The newest `limit` messages since a moment, oldest first, however many pages they take. */
export async function readHistory(
  face: DeviceFace,
  conversationId: string,
  limit: number,
  sinceMs: number | undefined,
): Promise<{ readonly messages: readonly MessageView[]; readonly missing: number }> {
  const since = sinceMs === undefined ? {} : { sinceMs }
  let messages: readonly MessageView[] = []
  let missing = 0
  for (;;) {
    const room = Math.min(limit - messages.length, pageSize)
    const before = messages[0] === undefined ? {} : { before: messages[0].messageId }
    const page = await face.view('history', { conversationId, limit: room, ...before, ...since })
    messages = [...page.messages, ...messages]
    missing = Math.max(missing, page.missing)
    if (!page.more || page.messages.length === 0 || messages.length >= limit) return { messages, missing }
  }
}

/** One message as a line of text. */
export function messageLine(message: MessageView): string {
  const time = new Date(message.sentAtMs)
  const at = Number.isNaN(time.getTime())
    ? '????-??-?? ??:??'
    : time.toISOString().slice(0, 16).replace('T', ' ')
  const text = message.deleted
    ? '(deleted)'
    : printable(message.text ?? '(damaged here; being asked for again)')
  const late = message.late ? ' (late)' : ''
  const mark = message.state === null ? '' : ` ${marks[message.state]}`
  return `${at}  ${printableLine(message.author.name)}: ${text}${late}${mark}`
}

export interface HistoryOptions {
  readonly since?: string
  readonly limit?: string
}

/** Lines of a history shown as text unless told otherwise; `--json` gives all. */
const shownLines = 50

/** `sotto history WHO` */
export const runHistory = (context: Context, who: string, given: HistoryOptions): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { conversationId } = await findContact(face, who)
    const nowMs = Date.now() + clockOffsetMs(context.io.env)
    const sinceMs = given.since === undefined ? undefined : parseMomentMs(given.since, nowMs)
    const all = context.options.json === true ? Number.MAX_SAFE_INTEGER : shownLines
    const limit = given.limit === undefined ? all : parseCount(given.limit, 1)
    const { messages, missing } = await readHistory(face, conversationId, limit, sinceMs)
    const gap = missing > 0 ? [`(${missing} more on their way)`] : []
    return outcome(messages.map(messageJson), [...messages.map(messageLine), ...gap].join('\n'))
  })

/** `sotto read WHO` */
export const runRead = (context: Context, who: string): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { conversationId } = await findContact(session.face, who)
    await session.face.dispatch('mark-read', { conversationId })
    return outcome({ conversationId }, 'Read.')
  })

/** One event as a line of text. */
export function eventLine(event: DeviceEvent, previews: boolean): string {
  const of = (name: string, otherwise: string): string => (previews ? printableLine(name) : otherwise)
  switch (event.type) {
    case 'message':
      return previews
        ? messageLine(event.message)
        : `message ${event.message.author.me ? 'of mine' : 'received'}`
    case 'state':
      return `${marks[event.state]} ${event.messageId.slice(0, 8)} ${stateWords[event.state]}`
    case 'contact':
      return `contact ${of(event.contact.name, event.contact.accountId.slice(0, 8))}: ${event.change}`
    case 'request':
      return `request from ${of(event.request.name, event.request.accountId.slice(0, 8))}`
    case 'invite':
      return `invite ${event.invite.inviteId.slice(0, 8)}: ${event.invite.state}`
    case 'device':
      return `device of ${event.accountId.slice(0, 8)}: ${event.change}`
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

/** Whether a stream is read by a program. */
export const streamsJson = ({ io, options }: Pick<Context, 'io' | 'options'>): boolean =>
  options.json === true || !io.stdoutIsTerminal

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

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

import { PortError, UsageError } from '@sotto/core/ports'
import type { DeliveryState, DeviceFace, MessageView } from '@sotto/core'
import { StillQueuedError } from '../face/failure.ts'
import { findMessageId } from '../face/message-id.ts'
import { findPlace } from '../face/who.ts'
import { nodeLimits } from '../limits.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { parseCount, parseDurationMs, parseMomentMs } from './duration.ts'
import { outcome } from './io.ts'
import type { Io, Outcome } from './io.ts'
import { printable, printableLine } from './printable.ts'
import { clockOffsetMs, warnWhenNotRunning } from './session.ts'
import { marks, messageJson, stateWords } from './shapes.ts'
import { short } from './table.ts'

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
  readonly reply?: string
}

/** A text as it was typed, or standard input for `-`, without its last line end. */
export const readText = async (io: Io, typed: string): Promise<string> =>
  typed === '-' ? (await readStdin(io)).replace(/\r?\n$/, '') : typed

/** `sotto send WHO TEXT|-` */
export const runSend = (context: Context, who: string, typed: string, given: SendOptions): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const aim = parseAim(given.wait)
    const timeoutMs = parseDurationMs(given.timeout ?? '30s')
    const text = await readText(context.io, typed)
    const { conversationId } = await findPlace(session.face, who)
    const answered =
      given.reply === undefined
        ? {}
        : { replyTo: await findMessageId(session.face, given.reply, conversationId) }
    const watch = watchStates(session.face)
    try {
      const message = await session.face.dispatch('send', { conversationId, text, ...answered })
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

const outsideWords: Readonly<Record<NonNullable<MessageView['outside']>, string>> = {
  'not-a-member': 'not a member',
  'device-out': 'from a device that was out',
  'sent-while-removed': 'sent while being removed',
}

function messageText(message: MessageView): string {
  if (message.deleted) return '(deleted)'
  if (message.textMissing === 'nobody-has-it') return '(not here, and nobody who was asked has it)'
  return printable(message.text ?? '(not here yet; being asked for again)')
}

/** What is to be said of a message beside its text. */
function messageNotes(message: MessageView): string {
  const reactions = message.reactions.map(({ emoji, by }) => `${printableLine(emoji)}${by.length}`)
  const notes = [
    ...(message.edited && !message.deleted ? ['(edited)'] : []),
    ...(message.late ? ['(late)'] : []),
    ...(message.outside === null ? [] : [`(does not count: ${outsideWords[message.outside]})`]),
    ...(reactions.length === 0 ? [] : [`[${reactions.join(' ')}]`]),
    ...(message.state === null ? [] : [marks[message.state]]),
  ]
  return notes.map((note) => ` ${note}`).join('')
}

/** One message as a line of text. */
export function messageLine(message: MessageView): string {
  const time = new Date(message.sentAtMs)
  const at = Number.isNaN(time.getTime())
    ? '????-??-?? ??:??'
    : time.toISOString().slice(0, 16).replace('T', ' ')
  const answered = message.replyTo === null ? '' : ` (to ${short(message.replyTo)})`
  const author = printableLine(message.author.name)
  return `${at}  ${author}${answered}: ${messageText(message)}${messageNotes(message)}`
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
    const { conversationId } = await findPlace(face, who)
    const nowMs = Date.now() + clockOffsetMs(context.io.env)
    const sinceMs = given.since === undefined ? undefined : parseMomentMs(given.since, nowMs)
    const all = context.options.json === true ? Number.MAX_SAFE_INTEGER : shownLines
    const limit = given.limit === undefined ? all : parseCount(given.limit, 1)
    const { messages, missing } = await readHistory(face, conversationId, limit, sinceMs)
    const lines = messages.map((message) => `${short(message.messageId)}  ${messageLine(message)}`)
    const gap = missing > 0 ? [`(${missing} more on their way)`] : []
    return outcome(messages.map(messageJson), [...lines, ...gap].join('\n'))
  })

/** `sotto read WHO` */
export const runRead = (context: Context, who: string): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { conversationId } = await findPlace(session.face, who)
    await session.face.dispatch('mark-read', { conversationId })
    return outcome({ conversationId }, 'Read.')
  })

import { existsSync } from 'node:fs'
import { UsageError } from '@sotto/core/ports'
import type { InviteView, StatusView } from '@sotto/core'
import { serveStatic } from '@sotto/core/host-node'
import { runTerminalChat } from '../chat/terminal.ts'
import { findDaemon } from '../local-api/find-daemon.ts'
import { serveWebFace } from '../web-face/server.ts'
import type { WebFace } from '../web-face/server.ts'
import { appFolder } from '../web-face/app-folder.ts'
import { chooseName, version } from './account.ts'
import type { Context } from './context.ts'
import { parseCount } from './duration.ts'
import { aborted, outJson } from './io.ts'
import { outEvent } from './listen.ts'
import { inviteWords } from './people.ts'
import { printableLine } from './printable.ts'
import { qrText } from './qr.ts'
import { loopback, runNode, untilEnd } from './run-node.ts'
import type { NodeOptions, RunningNode } from './run-node.ts'
import { mayAsk, pathsOf } from './session.ts'
import { connectionWords, inviteJson } from './shapes.ts'

export interface StartOptions extends NodeOptions {
  readonly name?: string
  readonly local?: boolean
  readonly port?: string
}

/** Serves the built app for a node; undefined when it was not built. */
async function serveApp(running: RunningNode, port: number): Promise<WebFace | undefined> {
  if (!existsSync(appFolder)) return undefined
  return serveWebFace(running.node.face, serveStatic(appFolder), port)
}

const port = (given: StartOptions): number => {
  const number = given.port === undefined ? 0 : parseCount(given.port, 0)
  if (number <= 65_535) return number
  throw new UsageError('E_USAGE', 'a port is at most 65535')
}

function nodeOptions(given: StartOptions): NodeOptions {
  if (given.local !== true) return given
  return { ...given, listen: given.listen ?? loopback, mdns: false }
}

/** An open invite to show: the newest that nobody used, else a new one. */
async function inviteToShow(running: RunningNode): Promise<InviteView> {
  const { face } = running.node
  const open = (await face.view('invites', {})).filter(
    ({ state, used, uses }) => state === 'open' && used < uses,
  )
  const newest = open.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0]
  return newest ?? face.dispatch('create-invite', {})
}

function greeting(name: string, status: StatusView, invite: InviteView, app: string | undefined): string {
  const listening = status.listen.length > 0 ? status.listen : ['(nowhere yet)']
  const relay = 'Add a relay for messages while you are away: sotto relays add ADDRESS'
  return [
    '',
    `  sotto ${version}   ${printableLine(name)}`,
    '',
    ...listening.map((address) => `  ✓ Listening on ${address}`),
    `  ${status.connection === 'offline' ? '…' : '✓'} ${connectionWords[status.connection]}`,
    ...(status.relays.length === 0 ? [`  · ${relay}`] : []),
    `  ✓ The app on this machine: ${app ?? '(not built)'}`,
    '',
    `  Give this to one person. ${inviteWords(invite)}`,
    '',
    qrText(invite.link).replace(/^/gm, '    '),
    '',
    `  ${invite.link}`,
    '',
  ].join('\n')
}

async function greet(context: Context, running: RunningNode, web: WebFace | undefined): Promise<void> {
  const { io, options } = context
  const { face } = running.node
  const [self, status, invite] = [
    await face.view('self', {}),
    await face.view('status', {}),
    await inviteToShow(running),
  ]
  const app = web?.open()
  if (options.json === true) {
    const { peerId, listen, daemon } = running
    outJson(io, {
      event: 'ready',
      peerId,
      listen,
      api: daemon.api,
      app: app ?? null,
      invite: inviteJson(invite),
    })
  } else io.out(`${greeting(self?.name ?? '', status, invite, app)}\n`)
}

/** Shows the chat of a node that runs already in another process. */
async function attach(context: Context): Promise<boolean> {
  const { io, options } = context
  const daemon = await findDaemon(pathsOf(io, options).api)
  if (daemon === undefined) return false
  try {
    if (!mayAsk(io, options))
      throw new UsageError('E_HOME_LOCKED', 'this home is already in use', { hint: 'It is running.' })
    io.out('This home is running already; here is its chat.\n')
    const web = await daemon.openWeb()
    const gone = new AbortController()
    void daemon.closed.then(() => gone.abort())
    await runTerminalChat(daemon.face, io, () => web, AbortSignal.any([io.interrupted, gone.signal]))
  } finally {
    daemon.close()
  }
  return true
}

/** `sotto start` (and `npm start`): a node, the app on this machine, and a chat on the terminal. */
export async function runStart(context: Context, given: StartOptions): Promise<void> {
  const { io, options } = context
  if (await attach(context)) return
  const hook: { web?: WebFace } = {}
  const web = { url: () => hook.web?.origin ?? null, open: () => hook.web?.open() }
  const running = await runNode(context, nodeOptions(given), {
    name: () => chooseName(context, given.name),
    web,
  })
  const served = await serveApp(running, port(given)).catch(async (error: unknown) => {
    await running.daemon.stop()
    throw error
  })
  if (served !== undefined) hook.web = served
  const left = new AbortController()
  const chatting = mayAsk(io, options)
  const ended = Promise.race([running.ended, aborted(left.signal)])
  try {
    await greet(context, running, served)
    const chat = chatting
      ? runTerminalChat(running.node.face, io, web.open, AbortSignal.any([io.interrupted, left.signal]))
      : undefined
    const over = chat === undefined ? running.ended : Promise.race([chat, ended])
    await untilEnd({ ...running, ended: over }, (event) => {
      if (options.json === true) outEvent(context, event, false)
    })
    left.abort()
    await chat
  } finally {
    left.abort()
    await served?.close()
    await running.daemon.stop()
  }
}

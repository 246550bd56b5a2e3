import { PortError, UsageError } from '@sotto/core/ports'
import type { DeviceEvent, DeviceFace } from '@sotto/core'
import { findDaemon } from '../local-api/find-daemon.ts'
import type { NodeHandle } from '../node-handle.ts'
import { alreadyInitialised } from './account.ts'
import { confirmed, onDevice } from './context.ts'
import type { Context } from './context.ts'
import { isoTime } from './duration.ts'
import { interrupts, outJson, outcome, streamsJson } from './io.ts'
import type { Outcome } from './io.ts'
import { parseHistoryChoice } from './policy.ts'
import { printableLine } from './printable.ts'
import { qrText } from './qr.ts'
import { networkOptions, remember } from './run-node.ts'
import type { NodeOptions } from './run-node.ts'
import { mayAsk, openHere, pathsOf } from './session.ts'
import { short } from './table.ts'

type LinkEvent = Extract<DeviceEvent, { readonly type: 'link' }>
type LinkState<S extends LinkEvent['state']> = Extract<LinkEvent, { readonly state: S }>

/** Names this device among the account's, when nobody said how. */
const defaultName = 'Computer'

const compareQuestion = 'Does the other device show the same, in the same order?'

/** Whoever compares must be there, or say with `--yes` that nobody will; better known before a code is shown. */
function requireSomebody({ io, options }: Context, yes: boolean): void {
  if (yes || mayAsk(io, options)) return
  throw new UsageError('E_CONFIRM', 'nobody can be asked to compare the emoji', {
    hint: 'Use a terminal, or --yes to go on without comparing.',
  })
}

const different = (): PortError =>
  new PortError('E_LINK_MISMATCH', 'the two devices did not show the same emoji', {
    hint: 'Somebody may be in between. Begin again, with both devices at hand.',
  })

/** Ends linking because the person did not see the same; whatever the device says of that, it is over. */
async function refuse(face: DeviceFace): Promise<never> {
  await face.dispatch('link-confirm', { match: false }).catch(() => undefined)
  throw different()
}

const failed = ({ code }: LinkState<'failed'>): PortError =>
  new PortError(code, 'linking failed', { hint: 'Begin again with a new code.', retryable: true })

/** What happens while linking, one event after the other, from now on. */
function linkEvents(face: DeviceFace) {
  const waiting: LinkEvent[] = []
  let wake: () => void = () => undefined
  const stop = face.subscribe((event) => {
    if (event.type !== 'link') return
    waiting.push(event)
    wake()
  })
  /** The next event of this state. Throws when linking fails before. */
  const until = async <S extends LinkEvent['state']>(state: S): Promise<LinkState<S>> => {
    for (;;) {
      const event = waiting.shift()
      if (event?.state === state) return event as LinkState<S>
      if (event?.state === 'failed') throw failed(event)
      if (event === undefined) await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return { until, stop }
}

function sayCode(context: Context, code: string, link: string): void {
  const qr = context.io.stdoutIsTerminal ? `${qrText(link)}\n` : ''
  context.io.out(
    `${qr}${link}\n\nOn a device of the account: sotto devices approve ${code}\nThe code works once, for a few minutes.\n`,
  )
}

/** Shows a code, waits for the other device, compares, and resolves once this device belongs to the account. */
async function joinAccount(context: Context, node: NodeHandle, given: LinkOptions): Promise<void> {
  const { io } = context
  const { face } = node
  const json = streamsJson(context)
  const events = linkEvents(face)
  try {
    const offer = await face.dispatch('link-offer', { deviceName: given.name ?? defaultName })
    await node.connected()
    const { code, link } = offer
    if (json) outJson(io, { event: 'code', code, link, expiresAt: isoTime(offer.expiresAtMs) })
    else sayCode(context, code, link)
    const { emoji } = await events.until('compare')
    if (json) outJson(io, { event: 'compare', emoji })
    else io.out(`\n  ${emoji.join('  ')}\n\n`)
    const match = given.yes === true || (await confirmed(context, compareQuestion))
    if (!match) await refuse(face)
    const confirming = face.dispatch('link-confirm', { match: true })
    // The event may say sooner than the command that it is done, or why it failed.
    const { accountId, deviceId } = await Promise.race([confirming, events.until('linked')])
    if (json) outJson(io, { event: 'linked', accountId, deviceId })
    else io.out(`This device belongs to the account ${short(accountId)} now.\nNext: sotto up\n`)
  } finally {
    events.stop()
  }
}

export interface LinkOptions extends NodeOptions {
  readonly name?: string
  readonly yes?: boolean
}

/** `sotto devices link`: on a new device, in a home without an account. Runs until it is linked. */
export async function runDevicesLink(context: Context, given: LinkOptions): Promise<void> {
  const { deps, io, options } = context
  requireSomebody(context, given.yes === true)
  const daemon = await findDaemon(pathsOf(io, options).api)
  if (daemon !== undefined) {
    daemon.close()
    throw alreadyInitialised()
  }
  const node = await openHere(deps, io, options, networkOptions(given))
  try {
    if ((await node.face.view('self', {})) !== null) throw alreadyInitialised()
    await remember(node, given)
    const halted = node.halted.then((error) => Promise.reject(error))
    await Promise.race([joinAccount(context, node, given), interrupts(io), halted])
  } finally {
    await node.stop()
  }
}

export interface ApproveOptions {
  readonly history?: string
  readonly yes?: boolean
}

/** `sotto devices approve CODE`: on a device of the account. */
export const runDevicesApprove = (context: Context, typed: string, given: ApproveOptions): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const yes = given.yes === true
    requireSomebody(context, yes)
    const history = given.history === undefined ? {} : { history: parseHistoryChoice(given.history) }
    if (session.daemon === undefined) {
      throw new UsageError('E_NOT_RUNNING', 'linking needs the network, and nothing is running', {
        hint: 'Start it with: sotto up',
      })
    }
    const { face } = session
    const interrupted = interrupts(context.io)
    const met = await Promise.race([
      face.dispatch('link-approve', { code: typed.trim(), ...history }),
      interrupted,
    ])
    const { emoji } = met
    const name = printableLine(met.deviceName)
    if (!yes) context.io.out(`${name} shows:\n\n  ${emoji.join('  ')}\n\n`)
    const match = yes || (await confirmed(context, compareQuestion))
    if (!match) await refuse(face)
    const confirming = face.dispatch('link-confirm', { match: true })
    const { deviceId } = await Promise.race([confirming, interrupted])
    return outcome({ deviceId, emoji }, `${name} (${short(deviceId)}) belongs to this account now.`)
  })

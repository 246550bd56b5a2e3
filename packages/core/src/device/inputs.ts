import { mendAbout } from './about.ts'
import { idHex } from '../wire/index.ts'
import type { NetworkEvent } from '../ports/index.ts'
import { limits } from '../limits.ts'
import { checkCommand, checkQuery } from './check-input.ts'
import { commands, isSlow, slowCommands } from './commands.ts'
import { noteHoles } from './gots.ts'
import { resumeLate } from './late-records.ts'
import { findTorn, tendTorn } from './lost-ops.ts'
import { linkOnline } from './link-new.ts'
import { linkPlaceRead } from './link-old.ts'
import type { CommandName, QueryName } from './api.ts'
import type { Channel, GetPurpose, Purpose, Step } from './context.ts'
import { onNetworkEvent, onOpened, onOpenFailed, tellConnection } from './network-input.ts'
import { bundleFound, publishDue } from './publish.ts'
import { inviteInDht } from './invites.ts'
import { queries } from './queries.ts'
import { tendRelays } from './relay-input.ts'
import { dhtAnswered } from './resolve.ts'
import { metaOf } from './events.ts'
import { beginFolding, tendFolding } from './folding.ts'
import { shareLater } from './own-values.ts'
import { findMe } from './me.ts'
import { repairSegments } from './repair.ts'
import { conversationRows, bootstrapRows, metaRows, onlyRow, relayRows, segmentRows } from './tables.ts'
import { answerWaiting } from './sync-answer.ts'
import { tendRetention } from './sweeping.ts'
import { tendWants } from './sync-wants.ts'
import { tick, watchClock } from './tick.ts'
import { ownRollback } from './rollback.ts'
import { noteRowFormat } from './row-format.ts'
import { wakeAt } from './timers.ts'

/** Everything that can happen to a device, one at a time. */
export type Input =
  | { readonly kind: 'command'; readonly name: CommandName; readonly input: unknown }
  | { readonly kind: 'query'; readonly name: QueryName; readonly input: unknown }
  | { readonly kind: 'network'; readonly event: NetworkEvent }
  | { readonly kind: 'opened'; readonly purpose: Purpose; readonly channel: Channel }
  | { readonly kind: 'open-failed'; readonly purpose: Purpose }
  | { readonly kind: 'got'; readonly purpose: GetPurpose; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'put'; readonly inviteId: Uint8Array | undefined; readonly nodes: number }
  | { readonly kind: 'online'; readonly peerId: string; readonly addresses: readonly string[] }
  | { readonly kind: 'opening'; readonly doubted: boolean; readonly settles: boolean }
  | { readonly kind: 'tick' }

/** What an input's sender hears; slow commands answer later than their batch. */
export interface Answer {
  readonly settle: (value: unknown) => void
  readonly fail: (error: unknown) => void
}

/** Stands for an answer that comes with a later input. */
export const later: unique symbol = Symbol('later')

/** Carries out one input. Throws leave nothing of it. */
export async function handle(step: Step, input: Input, answer: Answer): Promise<unknown> {
  switch (input.kind) {
    case 'command':
      return handleCommand(step, input.name, input.input, answer)
    case 'query':
      return handleQuery(step, input.name, input.input)
    case 'network':
      return onNetworkEvent(step, input.event)
    case 'opened': {
      onOpened(step, input.purpose, input.channel)
      return
    }
    case 'open-failed': {
      onOpenFailed(step, input.purpose)
      return
    }
    case 'got': {
      onValues(step, input.purpose, input.values)
      return
    }
    case 'put': {
      onPut(step, input.inviteId, input.nodes)
      return
    }
    case 'online': {
      onOnline(step, input.peerId, input.addresses)
      return
    }
    case 'opening': {
      return onOpening(step, input)
    }
    case 'tick': {
      await tick(step)
      if (findMe(step) === undefined) return
      await tendTorn(step)
      await mendAbout(step)
      await repairSegments(step)
      await tendWants(step)
      await tendRetention(step)
      await tendFolding(step)
      await answerWaiting(step)
      return
    }
  }
}

async function handleCommand(
  step: Step,
  name: CommandName,
  input: unknown,
  answer: Answer,
): Promise<unknown> {
  checkCommand(name, input)
  if (isSlow(name)) {
    slowCommands[name](step, input as never, answer.settle, answer.fail)
    return later
  }
  const handler = commands[name] as (step: Step, input: unknown) => unknown
  return handler(step, input)
}

async function handleQuery(step: Step, name: QueryName, input: unknown): Promise<unknown> {
  checkQuery(name, input)
  const handler = queries[name] as (step: Step, input: unknown) => unknown
  return handler(step, input)
}

function onValues(step: Step, purpose: GetPurpose, values: readonly Uint8Array[]): void {
  if (purpose.for === 'invite') dhtAnswered(step, purpose.token, purpose.day, values)
  else if (purpose.for === 'link') linkPlaceRead(step, purpose, values)
  else bundleFound(step, purpose, values)
}

function onPut(step: Step, inviteId: Uint8Array | undefined, nodes: number): void {
  const { live } = step.context
  live.published = nodes > 0
  // Nobody was there to take it: it is tried again when a peer connects, and after the longest pause.
  if (nodes === 0) {
    live.publishMs = Math.min(live.publishMs, step.monoMs + limits.retryMaxMs)
    wakeAt(step, live.publishMs)
  }
  if (inviteId !== undefined) inviteInDht(step, inviteId, nodes)
}

/** The network is up: relays and entries to the DHT are held on to, and what waits is sent. */
function onOnline(step: Step, peerId: string, addresses: readonly string[]): void {
  const { live } = step.context
  live.online = true
  live.peerId = peerId
  live.addresses = addresses
  live.publishMs = step.monoMs
  for (const { address } of [...step.tx.all(relayRows), ...step.tx.all(bootstrapRows)])
    step.effects.push({ kind: 'attach', address })
  tendRelays(step)
  linkOnline(step)
  publishDue(step)
  tellConnection(step)
  wakeAt(step, step.monoMs + limits.retryMinMs)
}

/** The home has been opened: what opening found is said before anything else happens. */
async function onOpening(
  step: Step,
  { doubted, settles }: Extract<Input, { kind: 'opening' }>,
): Promise<void> {
  await noteRowFormat(step)
  watchClock(step)
  for (const one of step.tx.all(conversationRows)) {
    step.context.live.openedAt.set(idHex(one.conversation), one.aseq)
    for (const remote of one.remotes) noteHoles(step, one, remote)
  }
  for (const { conversation, wanted } of step.tx.all(segmentRows))
    if (wanted > 0) step.context.live.wanted.add(idHex(conversation))
  findTorn(step)
  await tendTorn(step)
  beginFolding(step)
  shareLater(step)
  resumeLate(step)
  if (doubted) ownRollback(step)
  // The batch that carries the consequences also settles the store's doubt, so it is never empty.
  if (settles) step.tx.put(metaRows, onlyRow, metaOf(step))
}

import { resolveId } from '../face/who.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { printableLine } from './printable.ts'
import { relayJson } from './shapes.ts'
import { table } from './table.ts'

/** `sotto relays list` */
export const runRelaysList = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const relays = await face.view('relays', {})
    const rows = relays.map((relay) => [relay.relayId, relay.state, printableLine(relay.address)])
    return outcome(
      relays.map(relayJson),
      rows.length > 0 ? table(rows) : 'No relays. Without one, messages reach only people who are online.',
    )
  })

/** `sotto relays add MA` */
export const runRelaysAdd = (context: Context, address: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const relay = await face.dispatch('add-relay', { address })
    return outcome(relayJson(relay), `Added; ${relay.state}.`)
  })

/** `sotto relays remove ID` */
export const runRelaysRemove = (context: Context, typed: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const relays = await face.view('relays', {})
    const ids = relays.map((relay) => ({ id: relay.relayId, name: relay.address }))
    const relayId = resolveId(ids, typed, 'relay')
    await face.dispatch('remove-relay', { relayId })
    return outcome({ id: relayId }, 'Removed.')
  })

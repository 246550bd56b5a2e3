import { setTimeout as pause } from 'node:timers/promises'
import { UsageError } from '@sotto/core/ports'
import type { ToldView } from '@sotto/core'
import { resolveNamed } from '../face/who.ts'
import { confirmed, onDevice } from './context.ts'
import type { Context } from './context.ts'
import { nodeLimits } from '../limits.ts'
import { deviceJson } from './group-shapes.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { printableLine } from './printable.ts'
import { warnWhenNotRunning } from './session.ts'
import type { Session } from './session.ts'
import { short, table } from './table.ts'

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** `sotto devices list` */
export const runDevicesList = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const devices = await face.view('devices', {})
    const nameOf = (id: string): string =>
      printableLine(devices.find(({ deviceId }) => deviceId === id)?.name ?? '') || short(id)
    const rows = devices.map((device) => [
      short(device.deviceId),
      device.told === null ? device.state : `${device.state}, ${device.told.devices}/${device.told.of} know`,
      `added ${dayOf(device.addedAtMs)} ${device.addedBy === null ? 'with the account' : `by ${nameOf(device.addedBy)}`}`,
      device.lastSeenMs === null ? 'never seen' : `seen ${new Date(device.lastSeenMs).toISOString()}`,
      device.state === 'active' ? `until ${dayOf(device.expiresAtMs)}` : '',
      `${printableLine(device.name)}${device.thisDevice ? ' (this device)' : ''}`,
    ])
    return outcome(devices.map(deviceJson), table(rows))
  })

/** `sotto devices remove DEVICE --yes` */
export const runDevicesRemove = (context: Context, typed: string, yes: boolean): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const devices = await session.face.view('devices', {})
    const known = devices.map(({ deviceId, name }) => ({ id: deviceId, name }))
    const deviceId = resolveNamed(known, typed, 'device')
    const question = `Put the device ${short(deviceId)} out of this account? It cannot be undone.`
    if (!yes && !(await confirmed(context, question))) {
      throw new UsageError('E_CONFIRM', 'putting a device out needs --yes', { hint: 'Nothing was changed.' })
    }
    const removed = await session.face.dispatch('remove-device', { deviceId })
    warnWhenNotRunning(context.io, session)
    const told = session.daemon === undefined ? removed.told : await untilTold(session, deviceId)
    return outcome(
      { deviceId, told },
      `Put out. ${told.devices} of ${told.of} devices know of it; the others hear when they are reached.`,
    )
  })

/** Who knows of a removal once everybody does, or after a moment: whoever is online hears of it at once. */
async function untilTold({ face }: Session, removed: string): Promise<ToldView> {
  for (let waitedMs = 0; ; waitedMs += nodeLimits.removalLookMs) {
    const told = (await face.view('devices', {})).find(({ deviceId }) => deviceId === removed)?.told
    const now = told ?? { devices: 0, of: 0 }
    if (now.devices === now.of || waitedMs >= nodeLimits.removalToldMs) return now
    await pause(nodeLimits.removalLookMs)
  }
}

import { useStore } from '@nanostores/react'
import type { OwnDeviceView } from '@sotto/core'
import { useEffect, useState, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Ask } from './ask.tsx'
import { Sheet } from './dialog.tsx'
import type { Model } from './model.ts'
import { shortId } from './names.ts'
import { goTo } from './place.ts'
import { strings } from './strings.ts'
import { dateOf, momentOf } from './times.ts'
import styles from './dialog.module.css'
import lists from './lists.module.css'

const words = strings.devices

/** While some have not heard of a removal, how often is looked again. */
const toldMs = 2_000

const nameOf = ({ name }: OwnDeviceView): string => (name === '' ? words.unnamed : name)

/** Every device of this account: when it came and by which, when it was heard, when it lapses; and the way out. */
export function DevicesDialog({ model, onClose }: { readonly model: Model; readonly onClose: () => void }) {
  const devices = useStore(model.devices) ?? []
  const [removed, setRemoved] = useState<string>()
  useEffect(() => model.refresh('devices'), [model])
  const out = devices.find(({ deviceId }) => deviceId === removed)
  const waits = out !== undefined && out.told !== null && out.told.devices < out.told.of
  useEffect(() => {
    if (!waits) return
    const timer = setInterval(() => model.refresh('devices'), toldMs)
    return () => clearInterval(timer)
  }, [waits, model])
  const past = devices.filter(({ state }) => state === 'revoked')
  const shown = devices.filter(({ state }) => state !== 'revoked')
  const list = (some: readonly OwnDeviceView[]) => (
    <ul className={lists['list']}>
      {some.map((device) => (
        <Device key={device.deviceId} model={model} device={device} all={devices} onRemoved={setRemoved} />
      ))}
    </ul>
  )
  return (
    <Sheet title={words.title} onClose={onClose}>
      <p className="fine">{words.lead}</p>
      {out !== undefined && out.told !== null && (
        <p role="status">{words.removed(nameOf(out), out.told.devices, out.told.of)}</p>
      )}
      {list(shown)}
      <Button className="primary" onPress={() => goTo({ dialog: 'link' })}>
        {words.link}
      </Button>
      {past.length > 0 && (
        <details className={lists['past']}>
          <summary>{words.past(past.length)}</summary>
          {list(past)}
        </details>
      )}
    </Sheet>
  )
}

interface DeviceProps {
  readonly model: Model
  readonly device: OwnDeviceView
  readonly all: readonly OwnDeviceView[]
  readonly onRemoved: (deviceId: string) => void
}

function Device({ model, device, all, onRemoved }: DeviceProps) {
  const name = nameOf(device)
  const { deviceId, state, thisDevice } = device
  const remove = async (): Promise<void> => {
    await model.face.dispatch('remove-device', { deviceId })
    onRemoved(deviceId)
    model.refresh('devices')
  }
  return (
    <li className={lists['device']} data-state={state}>
      <h3>
        <span dir="auto">{name}</span>
        {thisDevice && <span className={lists['mark']}>{words.here}</span>}
        {state !== 'active' && <span className={lists['warn']}>{words.state[state]}</span>}
      </h3>
      <dl className={styles['facts']}>
        <Fact name={words.id}>
          <span translate="no" className={lists['id']}>
            {shortId(deviceId)}
          </span>
        </Fact>
        <Fact name={words.added}>
          {dateOf(device.addedAtMs)}, {addedBy(device, all)}
        </Fact>
        <Fact name={words.lastSeen}>{lastSeen(device)}</Fact>
        {device.told !== null && (
          <Fact name={words.told}>{words.toldOf(device.told.devices, device.told.of)}</Fact>
        )}
        {state === 'active' && <Fact name={words.expires}>{dateOf(device.expiresAtMs)}</Fact>}
      </dl>
      {!thisDevice && state !== 'revoked' && (
        <Ask
          label={words.remove}
          name={words.removeName(name)}
          question={words.removeAsk(name)}
          action={words.removeDo}
          run={remove}
        />
      )}
    </li>
  )
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

function addedBy(device: OwnDeviceView, all: readonly OwnDeviceView[]): string {
  if (device.addedBy === null) return device === all[0] ? words.addedFirst : words.addedByWords
  const by = all.find(({ deviceId }) => deviceId === device.addedBy)
  return words.addedBy(by === undefined ? shortId(device.addedBy) : nameOf(by))
}

function lastSeen({ thisDevice, lastSeenMs }: OwnDeviceView): string {
  if (thisDevice) return words.now
  return lastSeenMs === null ? words.never : momentOf(lastSeenMs)
}

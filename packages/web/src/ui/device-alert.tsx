import { useStore } from '@nanostores/react'
import type { SelfView } from '@sotto/core'
import { Button } from 'react-aria-components'
import type { Model } from './model.ts'
import { shortId } from './names.ts'
import { goTo } from './place.ts'
import { strings } from './strings.ts'
import { momentOf } from './times.ts'
import styles from './main.module.css'

const words = strings.devices

/** What befell the devices of this account, above everything, until it was looked at. It cannot be turned off. */
export function DeviceAlert({ model, self }: { readonly model: Model; readonly self: SelfView }) {
  const event = useStore(model.ownDevice)
  const link = useStore(model.link)
  if (event === undefined) return null
  if (event.change === 'revoked' && event.deviceId === self.deviceId)
    return (
      <div className={styles['notice']} role="alert" data-alert="true">
        <span>{words.outHere}</span>
      </div>
    )
  const linkedHere = link?.state === 'linked' && link.deviceId === event.deviceId
  // The first device comes with the account.
  if (event.change !== 'added' || linkedHere || event.deviceId === self.deviceId) return null
  return (
    <div className={styles['notice']} role="alert" data-alert="true">
      <span>{words.alert(shortId(event.deviceId), momentOf(event.atMs))}</span>
      <Button
        className="plain small"
        onPress={() => {
          model.ownDevice.set(undefined)
          goTo({ dialog: 'devices' })
        }}
      >
        {words.alertSee}
      </Button>
      <Button className="plain small" onPress={() => model.ownDevice.set(undefined)}>
        {words.alertMine}
      </Button>
    </div>
  )
}

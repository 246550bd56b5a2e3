import { adminQuarrel } from './admin-quarrel.ts'
import { browserTabs } from './browser-tabs.ts'
import { churn } from './churn.ts'
import { clonedDevice } from './cloned-device.ts'
import { departingContractor } from './departing-contractor.ts'
import { departingOpener } from './departing-opener.ts'
import { flashCrowd } from './flash-crowd.ts'
import { hostileMember } from './hostile-member.ts'
import { lostPhone } from './lost-phone.ts'
import { narrowLinks } from './narrow-links.ts'
import { offlineSync } from './offline-sync.ts'
import { olderCopy } from './older-copy.ts'
import { partitionHeal } from './partition-heal.ts'
import { relayLogsTooMuch } from './relay-logs-too-much.ts'
import { relayOutage } from './relay-outage.ts'
import { rottenDisk } from './rotten-disk.ts'
import type { Scenario } from './scenario.ts'
import { silentDeviceAdd } from './silent-device-add.ts'
import { spam } from './spam.ts'
import { storm } from './storm.ts'
import { twoFaced } from './two-faced.ts'
import { wrongGroupMember } from './wrong-group-member.ts'

/** Every scenario by name. */
export const catalogue: readonly Scenario[] = [
  partitionHeal,
  offlineSync,
  churn,
  adminQuarrel,
  flashCrowd,
  relayOutage,
  browserTabs,
  rottenDisk,
  olderCopy,
  narrowLinks,
  twoFaced,
  storm,
  spam,
  hostileMember,
  clonedDevice,
  lostPhone,
  silentDeviceAdd,
  wrongGroupMember,
  departingContractor,
  departingOpener,
  relayLogsTooMuch,
]

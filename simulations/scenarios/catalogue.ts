import { adminQuarrel } from './admin-quarrel.ts'
import { lostPhone } from './lost-phone.ts'
import { offlineSync } from './offline-sync.ts'
import { partitionHeal } from './partition-heal.ts'
import type { Scenario } from './scenario.ts'

/** Every scenario by name. */
export const catalogue: readonly Scenario[] = [partitionHeal, offlineSync, adminQuarrel, lostPhone]

import { deviceCampaign } from './devices.ts'
import { epochCampaign } from './epochs.ts'
import { intentCampaign } from './intents.ts'
import type { HostileCampaign } from './lie.ts'
import { operationCampaign } from './operations.ts'
import { recordCampaign } from './records.ts'
import { runCampaign } from './runs.ts'

/** Every room that takes what a member signed. */
export const hostileCampaigns: readonly HostileCampaign[] = [
  recordCampaign,
  runCampaign,
  intentCampaign,
  operationCampaign,
  epochCampaign,
  deviceCampaign,
]

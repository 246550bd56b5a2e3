import type { Stream } from '../world/stream.ts'
import type { Plan } from './plan.ts'
import type { Stage } from './stage.ts'

/** A world to run: what it claims, and what befalls it. */
export interface Scenario {
  readonly name: string
  /** The name its streams are drawn under, when it is another's with something on top. */
  readonly drawsAs?: string | undefined
  /** What a run that holds shows, in one sentence. */
  readonly claim: string
  /** Kinds of faults that must each have struck over a sweep of seeds. */
  readonly expects: readonly string[]
  /** Kinds of things people must have done over a sweep. */
  readonly acts: readonly string[]
  /** What the seed drew for so many virtual hours, made to fit. */
  readonly shape?: (plan: Plan, draw: Stream, hours: number) => Plan
  /** Goes on before any fault, on a calm network. */
  readonly prepare?: (stage: Stage, draw: Stream) => Promise<void>
  /** Starts whatever makes this scenario what it is; all of it stops when the stage says so. */
  readonly begin: (stage: Stage, draw: Stream) => void
  /** What must be so at the end beside the laws that hold everywhere. */
  readonly judge?: (stage: Stage) => Promise<void>
}

/** What people do in every scenario. */
export const everydayActs = [
  'send',
  'reply',
  'edit',
  'delete',
  'react',
  'create-group',
  'rename',
  'promote',
  'demote',
  'remove',
  'add',
  'leave',
  'link',
  'remove-device',
] as const

/** What breaks in every scenario. */
export const everydayFaults = [
  'frame-lost',
  'frame-repeated',
  'frame-replayed',
  'gossip-lost',
  'gossip-repeated',
  'dial-failed',
  'dht-missing',
  'dht-stale',
  'dht-lost',
  'crash',
  'crash-at-write',
  'address-changed',
  'relay-crash',
  'relay-disk',
  'disk-drop-unsynced',
  'disk-drop-suffix',
  'disk-torn',
  'disk-keep',
  'disk-full',
  'disk-sync',
  'clock-skew',
  'clock-jump',
] as const

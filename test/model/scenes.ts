/** The scenes that are explored, and the faults that must be found in them. */
import type { Fault, Scene } from './universe.ts'

/** Three devices that hold a first epoch, one record to write, and nothing else that may happen. */
const quiet: Scene = {
  name: '',
  members: 3,
  devices: 3,
  begun: true,
  records: 1,
  epochs: 2,
  removals: 0,
  free: 0,
  losses: 0,
  thefts: 0,
}
const theft: Partial<Scene> = { thefts: 1, acks: true, together: true }

/** Explored whole by `npm run model`; the numbers are bounds on what happens in one run. */
export const scenes: readonly Scene[] = [
  { ...quiet, name: 'three devices begin at once', begun: false, records: 2 },
  { ...quiet, name: 'one of three is removed', records: 2, epochs: 3, removals: 1 },
  { ...quiet, name: 'one of four is removed', members: 4, devices: 4, removals: 1, together: true },
  {
    ...quiet,
    name: 'removal with erasing',
    records: 2,
    epochs: 3,
    removals: 1,
    free: 1,
    sweep: true,
    together: true,
  },
  {
    ...quiet,
    name: 'one removed, one added',
    members: 2,
    records: 2,
    epochs: 3,
    removals: 1,
    together: true,
  },
  { ...quiet, name: 'a seed is lost', epochs: 3, free: 1, losses: 1 },
  { ...quiet, name: 'a seed is lost, senders repeat', epochs: 3, free: 1, losses: 1, repeats: true },
  { ...quiet, name: 'an insider begins two-faced', epochs: 3, free: 2, insider: 0 },
  { ...quiet, ...theft, name: 'a copy of one of two', members: 2, devices: 2, epochs: 3, free: 2 },
  {
    ...quiet,
    ...theft,
    name: 'a copy of one of two, four epochs',
    members: 2,
    devices: 2,
    records: 0,
    epochs: 4,
    free: 3,
  },
  { ...quiet, ...theft, name: 'a copy of one of three', epochs: 3, free: 2 },
  { ...quiet, ...theft, name: 'a copy and a removal', records: 0, epochs: 3, free: 1, removals: 1 },
]

/** Small ones that the tests explore whole. */
export const smallScenes: readonly Scene[] = [
  { ...quiet, name: 'three devices begin at once', begun: false },
  { ...quiet, name: 'one of three is removed', removals: 1, records: 1, epochs: 2 },
  { ...quiet, name: 'one removed, one added', members: 2, epochs: 2, removals: 1, together: true },
  { ...quiet, name: 'erasing', records: 2, free: 1, sweep: true },
  { ...quiet, name: 'a seed is lost', epochs: 3, free: 1, losses: 1 },
  { ...quiet, name: 'an insider begins two-faced', epochs: 3, free: 1, insider: 0 },
  {
    ...quiet,
    ...theft,
    name: 'a copy of one of two',
    members: 2,
    devices: 2,
    epochs: 3,
    free: 2,
  },
]

/** Every fault, a scene it shows itself in, and the property it breaks; the last is in the scene itself. */
export const planted: readonly { readonly fault?: Fault; readonly scene: Scene; readonly breaks: string }[] =
  [
    {
      fault: 'stale-view',
      scene: { ...quiet, name: 'sealing under an epoch that lists a removed device', removals: 1 },
      breaks: 'sealed under a secret that a device known to be removed has',
    },
    {
      fault: 'seed-to-all',
      scene: { ...quiet, name: 'handing a seed to a removed device', removals: 1 },
      breaks: 'the seed of an epoch went to a device it is not for',
    },
    {
      fault: 'stale-ratchet',
      scene: {
        ...quiet,
        ...theft,
        name: 'sessions without fresh keys',
        members: 2,
        devices: 2,
        records: 0,
        epochs: 3,
        free: 2,
      },
      breaks: 'a copy opens an epoch begun after its sessions had healed',
    },
    {
      fault: 'kept-chains',
      scene: { ...quiet, ...theft, name: 'chain keys that stay after opening', members: 2, devices: 2 },
      breaks: 'a copy opens what its device had opened and erased',
    },
    {
      fault: 'unbound-seed',
      scene: { ...quiet, name: 'seeds that no commitment binds', free: 1, insider: 0 },
      breaks: 'two devices hold two secrets of one epoch',
    },
    {
      fault: 'no-repair',
      scene: { ...quiet, name: 'no epoch for want of a seed', epochs: 3, free: 1, losses: 1 },
      breaks: 'never reads what',
    },
    {
      scene: { ...quiet, name: 'a record lost with its seed', epochs: 3, free: 1, losses: 1, together: true },
      breaks: 'never reads what',
    },
  ]

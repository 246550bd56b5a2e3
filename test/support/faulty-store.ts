export { FaultyStore, seededChoice } from '../../simulations/world/faulty-store.ts'
export type { CrashMode, RestoreOptions, Snapshot } from '../../simulations/world/faulty-store.ts'

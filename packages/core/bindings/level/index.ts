export { createLevelMailboxStore } from './level-mailbox-store.ts'
export { createLevelStore, type MarkFile } from './level-store.ts'
export { openLevelMailboxStore, openLevelStore } from './open-level.ts'

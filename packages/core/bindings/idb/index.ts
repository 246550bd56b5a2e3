export { IdbLevel } from './idb-level.ts'
export { deleteIdbStore, idbStoreLeft, openIdbStore } from './idb-store.ts'
export { unwrapKey, wrapKey } from './key-wrap.ts'

/** The document library, started once. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { initCrdt, type Crdt } from '../../packages/core/src/history/index.ts'

const fromCore = createRequire(new URL('../../packages/core/package.json', import.meta.url))

export const wasmFile: string = fromCore.resolve('@automerge/automerge/automerge.wasm')
export const crdt: Crdt = await initCrdt(readFileSync(wasmFile))

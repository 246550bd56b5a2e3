import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** The WebAssembly file of the document library, as `initCrdt` takes it. */
export const documentLibrary = async (): Promise<Uint8Array> =>
  readFile(createRequire(import.meta.url).resolve('@automerge/automerge/automerge.wasm'))

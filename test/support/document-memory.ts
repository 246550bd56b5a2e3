/** A process that opens and frees many large documents, and says how much memory the library then has. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** Bytes of the library's memory: after a few documents, after all, and after as few that were not freed. */
export interface DocumentMemory {
  readonly saved: number
  readonly few: number
  readonly all: number
  readonly kept: number
}

const parts = 16
const partBytes = 64 * 1_024

const memories: WebAssembly.Memory[] = []
const { Instance } = WebAssembly
const note = (instance: WebAssembly.Instance): WebAssembly.Instance => {
  const { memory } = instance.exports
  if (memory instanceof WebAssembly.Memory) memories.push(memory)
  return instance
}
WebAssembly.Instance = new Proxy(Instance, {
  construct: (target, args) => note(new target(...(args as [WebAssembly.Module]))),
})
const instantiate = WebAssembly.instantiate.bind(WebAssembly) as (
  ...args: readonly unknown[]
) => Promise<WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource>
WebAssembly.instantiate = (async (...args: readonly unknown[]) => {
  const made = await instantiate(...args)
  note('instance' in made ? made.instance : made)
  return made
}) as typeof WebAssembly.instantiate

async function measure(): Promise<DocumentMemory> {
  const { initCrdt } = await import('../../packages/core/src/history/index.ts')
  const fromCore = createRequire(new URL('../../packages/core/package.json', import.meta.url))
  const crdt = await initCrdt(readFileSync(fromCore.resolve('@automerge/automerge/automerge.wasm')))
  const bytes = (): number => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
  const first = crdt.empty()
  const change = first.changeAt([], new Uint8Array(16), (draft) => {
    draft.makeMap('pins')
    for (let n = 0; n < parts; n++) draft.put('/pins', `part ${n}`, randomBytes(partBytes))
  })
  first.apply([change])
  const saved = first.save()
  first.free()
  const open = (times: number, free: boolean): number => {
    for (let n = 0; n < times; n++) {
      const document = crdt.load(saved)
      if (document?.read.keys('/pins').length !== parts) throw new Error('not the document')
      if (free) document.free()
    }
    return bytes()
  }
  return { saved: saved.length, few: open(10, true), all: open(190, true), kept: open(10, false) }
}

if (process.send !== undefined) void measure().then((found) => process.send?.(found))

/** Our change writer against the library's own bytes, which it must equal; and against frozen answers. */
import * as Automerge from '@automerge/automerge/slim'
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import {
  hashOfChange,
  readInsert,
  writeInsert,
  writeRoot,
} from '../../../packages/core/src/history/change.ts'
import { compareBytes, fromHex, toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, drawFrom, idFor } from '../../core/history/segment-world.ts'
import { wasmFile } from '../../support/crdt.ts'

const root = idFor('root').slice(0, 16)

/** The same edit by the library's own means. */
function byLibrary(
  document: ReturnType<typeof Automerge.getBackend>,
  actor: Uint8Array,
  deps: readonly Uint8Array[],
  value: Uint8Array,
): Uint8Array {
  const fork = document.fork(toHex(actor), deps.map(toHex))
  fork.insert('/m', 0, value)
  fork.commit(null, 0)
  return fork.getLastLocalChange()!
}

describe('vectors: changes', () => {
  before(async () => {
    if (!Automerge.isWasmInitialized()) await Automerge.initializeWasm(readFileSync(wasmFile))
  })

  it('are what the library writes, over a random graph', () => {
    const draw = drawFrom(4)
    const document = Automerge.getBackend(Automerge.init({ actor: toHex(root) }))
    document.putObject('_root', 'm', [])
    document.commit(null, 0)
    expect(toHex(writeRoot(crypto, root).bytes)).to.equal(toHex(document.getLastLocalChange()!))
    const actors = ['a', 'b', 'c'].map((name) => idFor(name).slice(0, 16))
    const made = [{ hash: writeRoot(crypto, root).hash, startOp: 1, actor: root, seq: 1 }]
    for (let i = 0; i < 120; i++) {
      const actor = actors[draw(3)]!
      const previous = made.filter((one) => one.actor === actor).at(-1)
      const links = [
        ...new Set([made[draw(made.length)]!, made.at(-1 - draw(Math.min(3, made.length)))!, previous]),
      ]
      const present = links.filter((link) => link !== undefined)
      // The library depends on the heads it was given and on the actor's own last change; so does this choice.
      const heads = document.fork(undefined, present.map(({ hash }) => toHex(hash))).getHeads()
      const depHexes = new Set([...heads, ...(previous === undefined ? [] : [toHex(previous.hash)])])
      const deps = [...depHexes].map(fromHex).sort(compareBytes)
      const startOp = 1 + Math.max(...made.filter((one) => depHexes.has(toHex(one.hash))).map((d) => d.startOp))
      const seq = (previous?.seq ?? 0) + 1
      const value = new Uint8Array([1, 2, 7, 8, 127, 128, 1_023, 1_024, 2_000][draw(9)]!).fill(i)
      const ours = writeInsert(crypto, root, { actor, seq, startOp, deps, value })
      const theirs = byLibrary(document, actor, deps, value)
      expect(toHex(ours.bytes)).to.equal(toHex(theirs))
      expect(toHex(ours.hash)).to.equal(Automerge.decodeChange(theirs).hash)
      expect(toHex(hashOfChange(crypto, theirs))).to.equal(toHex(ours.hash))
      expect(readInsert(root, theirs)).to.deep.equal({ actor, seq, startOp, deps, value })
      document.applyChanges([ours.bytes])
      made.push({ hash: ours.hash, startOp, actor, seq })
    }
  })

  it('are frozen', () => {
    const opened = writeRoot(crypto, root)
    expect(toHex(opened.bytes)).to.equal(
      '856f4a8314ab8b22012c00104813494d137e1631bba301d5acab6e7b010100000005150334014202560270027f016d017f027f007f00',
    )
    const insert = writeInsert(crypto, root, {
      actor: idFor('a').slice(0, 16),
      seq: 300,
      startOp: 70_000,
      deps: [opened.hash, idFor('dep')].sort(compareBytes),
      value: Uint8Array.of(1, 2, 3),
    })
    expect(toHex(insert.bytes)).to.equal(
      '856f4a83b7c39fc9018d010214ab8b226f4775e5ff1de87812843ccbc2728c400bc812e2ce163f569d6308c88ce3e71ef8635d2bf27913bb680d7f88ad0238ea42c779c4b30f4e587d07da8e10ca978112ca1bbdcafac231b39a23dc4dac02f0a204000001104813494d137e1631bba301d5acab6e7b08010202021302340242025602570370027f017f017f0000017f017f370102037f00',
    )
  })

  it('of any other shape are not read', () => {
    const bytes = writeInsert(crypto, root, {
      ...{ actor: idFor('a').slice(0, 16), seq: 1, startOp: 2 },
      ...{ deps: [idFor('dep')], value: new Uint8Array(40) },
    }).bytes
    expect(readInsert(root, bytes)).to.not.equal(undefined)
    expect(readInsert(idFor('other').slice(0, 16), bytes)).to.equal(undefined)
    for (let length = 0; length < bytes.length; length++)
      expect(readInsert(root, bytes.slice(0, length))).to.equal(undefined)
    expect(readInsert(root, Uint8Array.of(...bytes, 0))).to.equal(undefined)
  })
})

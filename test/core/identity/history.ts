/** Random histories of one account: devices that add, accuse, fork, renew, and a recovery key that intervenes. */
import {
  addOps,
  recoveryKeys,
  resolveLog,
  type DeviceLog,
  type LogOp,
} from '../../../packages/core/src/identity/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { crypto, dayMs, laterMs, Scene, seedOf, startMs, type Placing } from './support.ts'

type Random = (n: number) => number

/** Draws a history. The same numbers give the same bytes. */
export function drawHistory(label: string, random: Random): Scene {
  const scene = new Scene(label)
  const first = scene.add(null, 'A', [])
  const grown = growth(scene, first, random)
  const size = 6 + random(16)
  for (let i = 0; i < size; i++) {
    const before = new Map(scene.last)
    const signer = scene.recoverySign
    step(scene, grown, random)
    const { log, added } = addOps(crypto, grown.log, [scene.ops.at(-1)!.bytes], laterMs)
    grown.log = log
    // Most refused operations are forgotten, or histories would soon consist of nothing else.
    // A recovery key that no log knows of signs nothing that follows.
    if (added.length === 0) scene.recoverySign = signer
    if (added.length === 0 && random(5) > 0) unwrite(scene, grown, before)
  }
  return scene
}

function unwrite(scene: Scene, grown: Grown, before: ReadonlyMap<string | null, LogOp>): void {
  const op = scene.ops.pop()!
  scene.last.clear()
  for (const [by, last] of before) scene.last.set(by, last)
  if (grown.revokes.at(-1) === op) grown.revokes.pop()
  for (const [name, add] of grown.added) if (add === op) grown.added.delete(name)
}

interface Grown {
  readonly added: Map<string, LogOp>
  readonly revokes: LogOp[]
  names: number
  log: DeviceLog
}

/** Two or three devices that know of each other, so that something can happen. */
function growth(scene: Scene, first: LogOp, random: Random): Grown {
  const added = new Map([['A', first]])
  const second = scene.add('A', 'B', [first])
  added.set('B', second)
  if (random(3) > 0) added.set('C', scene.add(random(2) === 0 ? 'A' : 'B', 'C', [second]))
  return { added, revokes: [], names: 3, log: scene.log() }
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random(list.length)]!
}

function step(scene: Scene, grown: Grown, random: Random): void {
  const { added } = grown
  const author = random(8) === 0 ? null : pick([...added.keys()], random)
  const target = pick([...added.keys()], random)
  const { ops } = scene
  // Mostly recent operations, now and then an old one: concurrency and back-dating.
  const known = random(4) === 0 ? pick(ops, random) : ops[ops.length - 1 - random(Math.min(3, ops.length))]!
  const after = [known, added.get(target)!, ...(author === null ? [] : [added.get(author)!])]
  if (random(3) === 0) after.push(ops.at(-1)!)
  const placing = forkPlacing(scene, author, random)
  act(scene, grown, random, { author, target, after, placing })
}

/** Now and then an author continues from an operation that is not its last. */
function forkPlacing(scene: Scene, author: string | null, random: Random): Placing {
  if (random(author === null ? 40 : 25) !== 0) return {}
  // A recovery key that was replaced signs nothing anew.
  if (author === null && scene.recoverySign !== scene.recovery.sign) return {}
  const own = scene.ops.filter((op) => op.by === (author === null ? null : scene.device(author).key))
  const from = own.length === 0 ? undefined : pick([...own], random)
  return from === undefined ? {} : { from }
}

interface Act {
  readonly author: string | null
  readonly target: string
  readonly after: readonly LogOp[]
  readonly placing: Placing
}

function act(scene: Scene, grown: Grown, random: Random, { author, target, after, placing }: Act): void {
  const dice = random(20)
  const ownSeq = scene.last.get(target)?.seq ?? 0
  if (author === null && dice < 3 && grown.revokes.length > 0) {
    const revoke = pick(grown.revokes, random)
    scene.unrevoke(revoke, [...after, revoke], placing)
  } else if (author === null && dice === 3) {
    const next = recoveryKeys(crypto, new Secret(seedOf(`recovery after ${scene.ops.length}`))).sign
    scene.write(null, { kind: 'setRecovery', recoveryPublic: next.publicKey }, after)
    scene.recoverySign = next
  } else if (dice < 8) {
    const fresh = random(5) > 0
    const name = fresh ? `D${grown.names++}` : target
    const add = scene.add(author, name, after, placing)
    if (fresh) grown.added.set(name, add)
  } else if (dice < 14) {
    grown.revokes.push(scene.revoke(author, target, random(ownSeq + 2), after, placing))
  } else if (dice < 18 || author === null) {
    scene.renew(author, target, startMs + (10 + random(30)) * dayMs, after, placing)
  } else {
    const transportKey = crypto.signKeyPair(seedOf(`rotated ${scene.ops.length}`)).publicKey
    scene.write(author, { kind: 'rotate', transportKey, suite: 1 + random(3), minSuite: 1 }, after, placing)
  }
}

/** Whether a history is worth counting: somebody was put out or forked, and at least two are left. */
export function tells(scene: Scene): boolean {
  const state = resolveLog(scene.log())
  const trouble = state.revoked.size + state.forked.length + (state.contested === null ? 0 : 1)
  return trouble > 0 && state.active.size >= 2
}

import { expect } from 'chai'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import {
  addOps,
  emptyLog,
  logHeads,
  logOps,
  resolveLog,
  restoreLog,
  type LogOp,
  type LogState,
} from '../../../packages/core/src/identity/index.ts'
import { toHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { drawHistory, tells } from './history.ts'
import { reference } from './reference.ts'
import { crypto, dayMs, digestOf, laterMs, randomOf, shuffled, startMs, type Scene } from './support.ts'

/** `npm run campaign:device-log` asks for 10,000 histories; the everyday run for a share. */
const histories = Number(process.env['SOTTO_LOG_HISTORIES'] ?? 250)
const orders = 20
const firstSeed = Number(process.env['SOTTO_LOG_SEED'] ?? 1)

/** Signatures of the shuffled deliveries were all verified by the first; the orders are what is asked here. */
const trusting: CryptoProvider = { ...crypto, verify: () => true }

/** The state and the operations that a delivery in this order leaves. */
function deliver(scene: Scene, ops: readonly LogOp[], provider: CryptoProvider): string {
  const bytes = ops.map((op) => op.bytes)
  const { log } = addOps(provider, emptyLog(scene.account), bytes, laterMs)
  return toHex(crypto.sha256(utf8(digestOf(resolveLog(log)) + idsOf(logOps(log)))))
}

const idsOf = (ops: readonly Uint8Array[]): string =>
  ops.map((op) => Buffer.from(op).toString('base64')).join()

/** Delivers one by one, keeping back what is held; gives the state at each set on the way. */
function walk(scene: Scene, ops: readonly LogOp[], seen: Map<string, string>): number {
  let log = emptyLog(scene.account)
  let waiting: Uint8Array[] = []
  let equal = 0
  for (const op of ops) {
    const result = addOps(crypto, log, [...waiting, op.bytes], laterMs)
    log = result.log
    waiting = result.held.map((one) => one.bytes)
    if (result.added.length === 0) continue
    const set = idsOf(logOps(log))
    const state = digestOf(resolveLog(log))
    const before = seen.get(set)
    if (before !== undefined) equal += 1
    else seen.set(set, state)
    expect(seen.get(set)).to.equal(state)
  }
  return equal
}

/** The operations a new one would name to know of everything. */
const tips = (scene: Scene): LogOp[] => {
  const keys = new Set(logHeads(scene.log()).map(toHex))
  return scene.log().entries.flatMap(({ op }) => (keys.has(op.key) ? [op] : []))
}

describe('device log laws', function () {
  this.timeout(0)
  const drawn: { readonly scene: Scene; readonly state: LogState; readonly seed: number }[] = []
  const seen = new Set<string>()
  let all = 0

  before(() => {
    for (let seed = firstSeed; drawn.length < histories; seed++) {
      const scene = drawHistory(`law ${seed % 7}`, randomOf(seed))
      all += 1
      seen.add(idsOf(scene.ops.map((op) => op.bytes)))
      if (tells(scene)) drawn.push({ scene, state: scene.state(), seed })
    }
  })

  it(`draws ${histories} telling histories, nearly all distinct`, () => {
    expect(seen.size).to.be.at.least(Math.floor(all * 0.99))
    const share = drawn.length / all
    expect(share, 'telling share').to.be.above(0.3)
  })

  it(`means one thing in ${orders} orders of arrival`, () => {
    for (const { scene, seed } of drawn) {
      const random = randomOf(seed + 0x5eed)
      const want = deliver(scene, scene.ops, crypto)
      for (let i = 0; i < orders; i++) {
        const got = deliver(scene, shuffled(scene.ops, random), trusting)
        expect(got, `seed ${seed}`).to.equal(want)
      }
    }
  })

  it('means one thing wherever two partial deliveries hold equal sets', () => {
    let equal = 0
    for (const { scene, seed } of drawn.slice(0, Math.ceil(histories / 4))) {
      const random = randomOf(seed + 0xca5a)
      const states = new Map<string, string>()
      for (let i = 0; i < 4; i++) equal += walk(scene, shuffled(scene.ops, random), states)
    }
    expect(equal, 'equal sets met').to.be.above(histories / 4)
  })

  it('agrees with a second, naive reading of the rules', () => {
    for (const { scene, state, seed } of drawn) {
      const naive = reference(scene.ops)
      expect(scene.names(state.active.keys()), `active, seed ${seed}`).to.equal(scene.names(naive.active))
      expect([...state.revoked.keys()], `revoked, seed ${seed}`).to.deep.equal([...naive.out].sort())
      expect(scene.log().entries.length, `admitted, seed ${seed}`).to.equal(naive.formed.length)
    }
  })

  it('reopens from its stored bytes as what it was', () => {
    for (const { scene, state } of drawn.slice(0, 50)) {
      const reopened = restoreLog(crypto, scene.account.bytes, logOps(scene.log()))
      expect(digestOf(resolveLog(reopened))).to.equal(digestOf(state))
    }
  })

  it('whoever the recovery key put out stays out until it says otherwise', () => {
    let asked = 0
    for (const { scene, state } of drawn) {
      const pardoned = new Set(
        scene.ops.flatMap(({ args }) => (args.kind === 'unrevoke' ? [toHex(args.revoke)] : [])),
      )
      for (const { op } of scene.log().entries) {
        if (op.by !== null || op.args.kind !== 'revoke' || pardoned.has(op.key)) continue
        expect(state.active.has(toHex(op.args.device))).to.be.false
        asked += 1
      }
    }
    expect(asked).to.be.above(0)
  })

  it('a device that comes back does so only because its revoke was named or struck by a revoke that stands', () => {
    for (const { scene, state, seed } of drawn) {
      const naive = reference(scene.ops)
      const pardoned = new Set(
        scene.ops.flatMap(({ args }) => (args.kind === 'unrevoke' ? [toHex(args.revoke)] : [])),
      )
      for (const { op } of scene.log().entries) {
        if (op.args.kind !== 'revoke' || !state.active.has(toHex(op.args.device)) || pardoned.has(op.key))
          continue
        expect(
          naive.standing.some((other) => naive.hits(other, op)),
          `seed ${seed}`,
        ).to.be.true
      }
    }
  })

  it('adds of new devices, renewals and rotations never change who is out', () => {
    for (const { scene, state, seed } of drawn) {
      if (state.forked.length > 0 || state.active.size === 0) continue
      const random = randomOf(seed + 0xadd)
      const own = [...scene.devices.values()].find((device) => state.active.has(device.key))!
      const tip = [...scene.log().entries].reverse().find(({ op }) => op.by === own.key)?.op ?? null
      const heads = tips(scene)
      const more =
        random(2) === 0
          ? scene.add(own.name, 'new', heads, { from: tip })
          : scene.renew(own.name, own.name, startMs + dayMs, heads, { from: tip })
      expect([...scene.state().revoked.keys()], `seed ${seed}`).to.deep.equal([...state.revoked.keys()])
      expect(scene.log().byId.has(more.key), `seed ${seed}`).to.be.true
      scene.ops.pop()
    }
  })

  it('what a device that is out writes on top changes nothing', () => {
    let asked = 0
    for (const { scene, state } of drawn) {
      const out = [...scene.devices.values()].find((device) => state.revoked.has(device.key))
      if (out === undefined) continue
      const tip = [...scene.log().entries].reverse().find(({ op }) => op.by === out.key)?.op ?? null
      const heads = tips(scene)
      scene.add(out.name, 'puppet', heads, { from: tip })
      expect(digestOf(scene.state())).to.equal(digestOf(state))
      scene.ops.pop()
      asked += 1
    }
    expect(asked).to.be.above(0)
  })

  it('a device is active and out at no time', () => {
    for (const { state } of drawn)
      for (const device of state.active.keys()) expect(state.revoked.has(device)).to.be.false
  })
})

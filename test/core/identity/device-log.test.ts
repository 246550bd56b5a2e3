import { expect } from 'chai'
import { signAs } from '../../../packages/core/src/crypto/index.ts'
import {
  addOps,
  cutBefore,
  emptyLog,
  logHeads,
  logOps,
  missingFrom,
  readForkProof,
  resolveAt,
  resolveLog,
  restoreLog,
  writeRecoveryOp,
  type LogOp,
} from '../../../packages/core/src/identity/index.ts'
import { encodeCbor } from '../../../packages/core/src/wire/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { crypto, dayMs, digestOf, laterMs, makeDevice, Scene, startMs } from './support.ts'

/** First device F, added by the recovery key; L and T, added by F. */
function family(label: string): { readonly scene: Scene; readonly base: LogOp } {
  const scene = new Scene(label)
  const first = scene.add(null, 'F', [])
  const second = scene.add('F', 'L', [first])
  return { scene, base: scene.add('F', 'T', [second]) }
}

describe('device log: who is active', () => {
  it('L revokes T', () => {
    const { scene, base } = family('revoke')
    scene.revoke('L', 'T', 0, [base])
    expect(scene.active()).to.equal('F L')
  })

  it('T, cut off, adds P back-dated: P is out too', () => {
    const { scene, base } = family('back-dated add')
    scene.revoke('L', 'T', 0, [base])
    scene.add('T', 'P', [base])
    expect(scene.active()).to.equal('F L')
  })

  it('a mutual accusation puts both out, and F stays', () => {
    const { scene, base } = family('mutual')
    scene.revoke('L', 'T', 0, [base])
    scene.revoke('T', 'L', 9, [base])
    const state = scene.state()
    expect(scene.names(state.active.keys())).to.equal('F')
    expect(state.accusations).to.have.length(1)
    expect(scene.names(state.accusations[0]!.accused)).to.equal('L T')
    expect(state.accusations[0]!.answered).to.be.false
  })

  it('an accusation is answered by whoever is not accused, knowing of it', () => {
    const { scene, base } = family('answered')
    const one = scene.revoke('L', 'T', 0, [base])
    const two = scene.revoke('T', 'L', 9, [base])
    scene.renew('F', 'F', startMs + 40 * dayMs, [one, two])
    expect(scene.state().accusations.map((accusation) => accusation.answered)).to.deep.equal([true])
  })

  it("a puppet's revoke puts both lines out", () => {
    const { scene, base } = family('puppet')
    scene.revoke('L', 'T', 0, [base])
    const puppet = scene.add('T', 'P', [base])
    scene.revoke('P', 'L', 9, [puppet])
    expect(scene.active()).to.equal('F')
  })

  it('once the recovery key revokes T, T and its puppets can do nothing more', () => {
    const { scene, base } = family('recovery revoke')
    scene.revoke(null, 'T', 0, [base])
    const puppet = scene.add('T', 'P', [base])
    scene.revoke('P', 'L', 9, [puppet])
    scene.revoke('T', 'F', 9, [base])
    expect(scene.active()).to.equal('F L')
  })

  it('the recovery key ends a mutual accusation', () => {
    const { scene, base } = family('ended')
    scene.revoke('L', 'T', 0, [base])
    scene.revoke('T', 'L', 9, [base])
    scene.revoke(null, 'T', 0, [base])
    expect(scene.active()).to.equal('F L')
    expect(scene.state().accusations).to.deep.equal([])
  })

  it('a ring of three: all out', () => {
    const { scene, base } = family('ring')
    scene.revoke('F', 'L', 9, [base])
    scene.revoke('L', 'T', 9, [base])
    scene.revoke('T', 'F', 2, [base])
    expect(scene.active()).to.equal('')
  })

  it('T adds L again, whose proof is public, to drag it along: L stays', () => {
    const { scene, base } = family('drag')
    scene.add('T', 'L', [base])
    scene.revoke('L', 'T', 0, [base])
    expect(scene.active()).to.equal('F L')
  })

  it('a revoke that T writes after it learned of its own is refused', () => {
    const { scene, base } = family('too late')
    const known = scene.revoke('L', 'T', 0, [base])
    const late = scene.revoke('T', 'L', 9, [known])
    const result = addOps(
      crypto,
      emptyLog(scene.account),
      scene.ops.map((op) => op.bytes),
      laterMs,
    )
    expect(result.rejected).to.deep.equal([{ bytes: late.bytes, reason: 'author-not-active' }])
    expect(scene.active()).to.equal('F L')
  })

  it('what a device wrote up to the cut stays; what it wrote after is gone, devices included', () => {
    const { scene, base } = family('cut')
    const early = scene.add('T', 'P', [base])
    const late = scene.add('T', 'Q', [early])
    scene.revoke('L', 'T', 1, [late])
    expect(scene.active()).to.equal('F L P')
  })

  it('a back-dated revoke by a revoked device locks its target out, and never lets the device back in', () => {
    const { scene, base } = family('lockout')
    scene.revoke('L', 'T', 5, [base])
    scene.revoke('T', 'L', 9, [base])
    expect(scene.active()).to.equal('F')
    scene.revoke(null, 'T', 0, [base])
    expect(scene.active()).to.equal('F L')
  })

  it('an add by two thieves together keeps no puppet of their puppet', () => {
    const { scene, base } = family('two thieves')
    const extra = scene.add('F', 'U', [base])
    const puppets = [scene.add('T', 'P', [extra]), scene.add('U', 'P', [extra])]
    scene.add('P', 'Q', puppets)
    scene.revoke('L', 'T', 0, [base])
    scene.revoke('L', 'U', 0, [extra])
    expect(scene.active()).to.equal('F L')
  })

  it('a device added again by the recovery key after its revoke stays out; unrevoke brings it back', () => {
    const { scene, base } = family('unrevoke')
    const revoke = scene.revoke('L', 'T', 0, [base])
    scene.add(null, 'T', [revoke])
    expect(scene.active()).to.equal('F L')
    scene.unrevoke(revoke, [revoke])
    expect(scene.active()).to.equal('F L T')
  })

  it('a new recovery key speaks after setRecovery, and the old one no more', () => {
    const { scene, base } = family('setRecovery')
    const old = scene.recoverySign
    const fresh = makeDevice(scene.account, 'next recovery').identity
    const set = scene.write(null, { kind: 'setRecovery', recoveryPublic: fresh.publicKey }, [base])
    const log = scene.log()
    const args = { kind: 'revoke', device: scene.device('T').device, cut: 0 } as const
    const byOld = writeRecoveryOp(crypto, log, old, args, startMs + 9)
    const byNew = writeRecoveryOp(crypto, log, fresh, args, startMs + 9)
    expect(addOps(crypto, log, [byOld.bytes], laterMs).rejected.map((one) => one.reason)).to.deep.equal([
      'bad-signature',
    ])
    const after = addOps(crypto, log, [byNew.bytes], laterMs).log
    expect(scene.names(resolveLog(after).active.keys())).to.equal('F L')
    expect(scene.names(resolveAt(after, [set.id])!.active.keys())).to.equal('F L T')
  })

  it('two recovery operations of one number: contested, and only the revokes of either branch count', () => {
    const { scene, base } = family('contested')
    const from = scene.last.get(null)!
    scene.add(null, 'N', [base])
    scene.add(null, 'M', [base], { from })
    scene.revoke(null, 'T', 0, [base])
    const state = scene.state()
    expect(scene.names(state.active.keys())).to.equal('F L')
    expect(state.contested?.rseq).to.equal(1)
  })

  it('a device that signs two operations of one number is out, and the proof convinces a stranger', () => {
    const { scene, base } = family('fork')
    scene.add('T', 'P', [base], { from: null })
    scene.add('T', 'Q', [base], { from: null })
    scene.revoke('T', 'L', 9, [base], { from: null })
    const state = scene.state()
    // The revoke is excepted: it fails closed.
    expect(scene.names(state.active.keys())).to.equal('F')
    expect(scene.names(state.forked.map((proof) => Buffer.from(proof.device).toString('hex')))).to.equal('T')
    const proof = readForkProof(crypto, state.forked[0]!.bytes)
    expect(proof?.selfSeq).to.equal(1)
    expect(proof?.device).to.deep.equal(scene.device('T').device)
    const whole = state.forked[0]!.bytes
    for (let at = 0; at < whole.length; at += 1) {
      const bent = Uint8Array.from(whole)
      bent[at] = bent[at]! ^ 1
      expect(readForkProof(crypto, bent), `byte ${at}`).to.be.undefined
    }
  })

  it('eight adds of one adder count, the lowest numbers first', () => {
    const scene = new Scene('adds')
    let last = scene.add(null, 'F', [])
    for (let i = 0; i < limits.addsPerAdder; i++) last = scene.add('F', `D${i}`, [last])
    expect(scene.state().active.size).to.equal(limits.addsPerAdder + 1)
    scene.add('F', 'one past', [last])
    expect(scene.state().active.size).to.equal(limits.addsPerAdder + 1)
    expect(scene.active()).not.to.contain('past')
  })

  it('sixteen devices are active, by depth and hash of their adds', () => {
    const scene = new Scene('actives')
    const first = scene.add(null, 'F', [])
    const adds: LogOp[] = []
    for (let i = 0; i < 8; i++) adds.push(scene.add('F', `D${i}`, [first]))
    for (let i = 0; i < 7; i++) scene.add('D0', `E${i}`, [adds.at(-1)!])
    expect(scene.state().active.size).to.equal(limits.activeDevices)
    scene.add('D1', 'one past', [adds.at(-1)!, scene.last.get('D0')!])
    expect(scene.state().active.size).to.equal(limits.activeDevices)
    expect(scene.active()).not.to.contain('past')
  })
})

describe('device log: admission', () => {
  it('holds what names operations that are not here, and says which', () => {
    const { scene, base } = family('held')
    const revoke = scene.revoke('L', 'T', 0, [base])
    const result = addOps(crypto, emptyLog(scene.account), [revoke.bytes], laterMs)
    expect(result.held).to.deep.equal([
      { bytes: revoke.bytes, id: revoke.id, awaiting: 'operations', missing: revoke.prevHeads },
    ])
    expect(result.log.entries).to.have.length(0)
  })

  it('holds what is dated past the clock by more than the tolerated error, to the millisecond', () => {
    const scene = new Scene('future')
    const first = scene.add(null, 'F', [], { tsMs: startMs })
    const at = (nowMs: number): number =>
      addOps(crypto, emptyLog(scene.account), [first.bytes], nowMs).held.length
    expect(at(startMs - limits.clockSkewMs)).to.equal(0)
    expect(at(startMs - limits.clockSkewMs - 1)).to.equal(1)
  })

  it('refuses each way an operation can be wrong, and leaves the log as it was', () => {
    const { scene, base } = family('refusals')
    const good = scene.log()
    const stranger = new Scene('another account')
    const tooLong = startMs + limits.certificateMs + 1
    const missing = scene.device('nobody').device
    const writes: [string, () => LogOp][] = [
      ['wrong-account', () => stranger.add(null, 'F', [])],
      ['bad-certificate', () => scene.add('T', 'T', [base])],
      ['bad-terms', () => scene.renew('L', 'T', tooLong, [base], { tsMs: startMs })],
      ['bad-terms', () => scene.write('L', { kind: 'unrevoke', revoke: base.id }, [base])],
      ['target-not-added', () => scene.write('L', { kind: 'revoke', device: missing, cut: 0 }, [base])],
      [
        'author-not-active',
        () => scene.write('nobody', { kind: 'renew', device: missing, notAfterMs: 1 }, [base]),
      ],
      ['broken-chain', () => scene.add('L', 'X', [base], { from: base })],
    ]
    for (const [reason, write] of writes) {
      scene.last.delete('L')
      const op = write()
      const result = addOps(crypto, good, [op.bytes], laterMs)
      if (reason === 'author-not-active')
        expect(['author-not-active', 'target-not-added']).to.include(result.rejected[0]?.reason)
      else
        expect(
          result.rejected.map((one) => one.reason),
          reason,
        ).to.deep.equal([reason])
      expect(result.log).to.equal(good)
    }
  })

  it('refuses every bent byte of an operation', () => {
    const { scene, base } = family('bent')
    const op = scene.revoke('L', 'T', 0, [base])
    const log = scene.log(scene.ops.slice(0, -1))
    for (let at = 0; at < op.bytes.length; at += 1) {
      const bent = Uint8Array.from(op.bytes)
      bent[at] = bent[at]! ^ 4
      expect(addOps(crypto, log, [bent], laterMs).added, `byte ${at}`).to.have.length(0)
    }
  })

  it('an operation of a later version is kept, counts for nothing, and asks for an update', () => {
    const { scene, base } = family('later version')
    expect(scene.state().updateNeeded).to.be.false
    const { identity, device } = scene.device('L')
    const { id } = scene.account
    const body = encodeCbor([id, [9, 'a later idea'], [base.id], [1, device, 1, null], startMs])
    const signature = signAs(crypto, identity, 'device-log-op', id, body)
    const { added, log } = addOps(crypto, scene.log(), [encodeCbor([body, signature])], laterMs)
    expect(added.map((op) => op.args.kind)).to.deep.equal(['unknown'])
    expect(resolveLog(log).updateNeeded).to.be.true
    expect(scene.names(resolveLog(log).active.keys())).to.equal('F L T')
  })

  it('is idempotent, and an older log takes nothing away', () => {
    const { scene, base } = family('idempotent')
    scene.revoke('L', 'T', 0, [base])
    const log = scene.log()
    const again = addOps(crypto, log, logOps(log), laterMs)
    expect(again.log).to.equal(log)
    expect(again.added).to.have.length(0)
  })

  it('gives a peer exactly what it lacks', () => {
    const { scene, base } = family('difference')
    const before = logHeads(scene.log())
    const op = scene.revoke('L', 'T', 0, [base])
    const log = scene.log()
    expect(missingFrom(log, before)).to.deep.equal({ ops: [op.bytes], unknown: [] })
    expect(missingFrom(log, logHeads(log)).ops).to.deep.equal([])
    expect(missingFrom(scene.log(scene.ops.slice(0, -1)), [op.id]).unknown).to.deep.equal([op.id])
    expect(missingFrom(log, []).ops).to.have.length(log.entries.length)
  })

  it('proposes the cut before the time a person names', () => {
    const { scene, base } = family('cut proposal')
    scene.renew('T', 'L', startMs + dayMs, [base], { tsMs: startMs + 10 })
    scene.renew('T', 'L', startMs + dayMs, [base], { tsMs: startMs + 20 })
    const { device } = scene.device('T')
    expect([10, 11, 21].map((atMs) => cutBefore(scene.log(), device, startMs + atMs))).to.deep.equal([
      0, 1, 2,
    ])
  })

  it('adds a chain of 10,000 operations and reopens it, with linear memory', function () {
    this.timeout(120_000)
    const { scene, base } = family('long')
    const names = ['F', 'L', 'T']
    let last = base
    for (let i = 0; i < 10_000; i++)
      last = scene.renew(names[i % 3]!, names[(i + 1) % 3]!, startMs + (i % 40) * dayMs, [last])
    const log = scene.log()
    expect(log.entries).to.have.length(10_003)
    const reopened = restoreLog(crypto, scene.account.bytes, logOps(log))
    expect(digestOf(resolveLog(reopened))).to.equal(digestOf(resolveLog(log)))
    const cells = reopened.entries.reduce((sum, entry) => sum + entry.past.length, 0)
    expect(cells).to.be.at.most(reopened.entries.length * reopened.chains.length)
    expect(reopened.resolved.size).to.be.at.most(8)
  })
})

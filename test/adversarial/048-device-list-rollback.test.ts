import { expect } from 'chai'
import { addOps, logHeads, logOps, missingFrom, resolveLog } from '../../packages/core/src/identity/index.ts'
import { crypto, laterMs, Scene } from '../core/identity/support.ts'

describe('adversarial', () => {
  it('048: an older device list takes nothing away, and the one who holds it is sent what it lacks', () => {
    const scene = new Scene('rollback')
    const first = scene.add(null, 'F', [])
    const second = scene.add('F', 'T', [first])
    const older = scene.log()
    scene.revoke('F', 'T', 0, [second])
    const newest = scene.log()
    const replayed = addOps(crypto, newest, logOps(older), laterMs)
    expect(replayed.log).to.equal(newest)
    expect(scene.names(resolveLog(replayed.log).active.keys())).to.equal('F')
    // A peer whose heads are stale names only what is in our past: nothing is unknown, the revoke is for it.
    const { ops, unknown } = missingFrom(newest, logHeads(older))
    expect(unknown).to.deep.equal([])
    expect(scene.names(resolveLog(addOps(crypto, older, ops, laterMs).log).active.keys())).to.equal('F')
  })
})

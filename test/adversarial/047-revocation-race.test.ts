import { expect } from 'chai'
import { digestOf, randomOf, Scene, shuffled } from '../core/identity/support.ts'

describe('adversarial', () => {
  it("047: a stolen device that revokes the owner's devices at once puts both out, until the words speak", () => {
    const scene = new Scene('race')
    const first = scene.add(null, 'stolen', [])
    const second = scene.add('stolen', 'laptop', [first])
    const base = scene.add('stolen', 'tablet', [second])
    scene.revoke('laptop', 'stolen', 3, [base])
    scene.revoke('stolen', 'laptop', 9, [base])
    scene.revoke('stolen', 'tablet', 9, [base])
    const puppet = scene.add('stolen', 'puppet', [base])
    scene.revoke('puppet', 'laptop', 9, [puppet])
    const same = (): string => {
      const random = randomOf(47)
      const states = Array.from({ length: 20 }, () => digestOf(scene.state(shuffled(scene.ops, random))))
      expect(new Set(states).size).to.equal(1)
      return scene.active()
    }
    // The laptop's word and the stolen one's kill each other; nobody the thief holds is left in.
    expect(same()).not.to.match(/stolen|puppet|laptop/)
    expect(scene.state().accusations).to.have.length(1)
    scene.revoke(null, 'stolen', 3, [base])
    expect(same()).to.equal('laptop tablet')
    expect(scene.state().accusations).to.have.length(0)
  })
})

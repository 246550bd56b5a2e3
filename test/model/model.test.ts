/** A small share of what `npm run model` explores, and the proof that the checker finds what it is for. */
import { expect } from 'chai'
import { nodeProvider } from '../support/session-world.ts'
import { explore } from './explore.ts'
import { idealProvider } from './ideal.ts'
import { planted, smallScenes } from './scenes.ts'

const crypto = idealProvider(nodeProvider)

describe('model: conversation epochs', () => {
  for (const scene of smallScenes) {
    it(`every state: ${scene.name}`, () => {
      const { broken, whole, states, seen } = explore(crypto, scene)
      expect(broken?.way.join('\n'), broken?.property).to.equal(undefined)
      expect(whole).to.equal(true)
      expect(states).to.be.greaterThan(100)
      expect(seen.get('quiet states judged')).to.be.greaterThan(0)
      // What a scene is about did happen in it.
      if (scene.removals > 0 && scene.records > 0)
        expect(seen.get('seals knowing of a removal')).to.be.greaterThan(0)
      if (scene.losses > 0) expect(seen.get('quiet states after a lost seed')).to.be.greaterThan(0)
      if (scene.insider !== undefined) expect(seen.get('two-faced seeds')).to.be.greaterThan(0)
      if (scene.thefts > 0) {
        expect(seen.get('epochs read by a thief after the copy')).to.be.greaterThan(0)
        expect(seen.get('epochs closed to a thief by healing')).to.be.greaterThan(0)
      }
    })
  }

  for (const { fault, scene, breaks } of planted) {
    it(`finds a planted fault: ${scene.name}`, () => {
      const faulty = fault === undefined ? scene : { ...scene, fault }
      expect(explore(crypto, faulty).broken?.property).to.include(breaks)
      // Without the fault nothing is broken there.
      if (fault !== undefined) expect(explore(crypto, scene).broken).to.equal(undefined)
    })
  }
})

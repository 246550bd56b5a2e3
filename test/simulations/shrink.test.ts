import { expect } from 'chai'
import { stepsFrom } from '../../simulations/cli/shrink.ts'
import type { Plan } from '../../simulations/scenarios/plan.ts'

const minute = 60_000
const hours = 0.05

/** What is tried on a failure with these settings, in a world of three people, which its scenario needs. */
function triedOn(messageEveryMs: number, ...set: readonly string[]): readonly string[] {
  const recipe = { scenario: 'departing-contractor', hours, set, plantBug: null, seed: '1' }
  const failure = { ...recipe, traceHash: '', violated: ['removed-mute'], crash: null }
  const net = { loss: 0.1, dhtLoss: 0 }
  const plan = {
    users: 3,
    devices: 3,
    groups: 0,
    relays: 1,
    messageEveryMs,
    skewMs: 9,
    crashEveryMs: null,
    net,
  }
  return stepsFrom(failure, { plan: plan as Plan, hours }).map(({ what }) => what)
}

describe('sotto-sim shrink', () => {
  it('tries less of everything', () => {
    expect(triedOn(minute)).to.include.members(['users=2', 'skew=off'])
  })

  it('takes away only faults there are', () => {
    expect(triedOn(minute).filter((one) => one.endsWith('=off'))).to.have.members([
      'skew=off',
      'net.loss=off',
    ])
    expect(triedOn(minute, 'skew=off')).to.not.include('skew=off')
  })

  it('does not try again what the settings say already, where the scenario needs more', () => {
    expect(triedOn(minute, 'users=2')).to.not.include('users=2')
  })

  it('makes people speak more seldom only as long as anybody would speak', () => {
    const rarer = (steps: readonly string[]) => steps.filter((one) => one.startsWith('messageEvery='))
    expect(rarer(triedOn(minute))).to.deep.equal([`messageEvery=${2 * minute}ms`])
    expect(rarer(triedOn(5 * minute))).to.deep.equal([])
  })
})

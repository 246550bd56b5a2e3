import { execFile } from 'node:child_process'
import { expect } from 'chai'
import { fileURLToPath } from 'node:url'
import { bugIn, mutants, plant, staleness } from '../../simulations/mutants/plant.mjs'
import type { RunResult } from '../../simulations/scenarios/run.ts'

const bin = fileURLToPath(new URL('../../simulations/bin/sotto-sim.mjs', import.meta.url))

/** Runs `sotto-sim` in a process of its own, as a planted bug needs it. */
const simulate = (args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

/** Two people with a device each. */
const small = ['users=2', 'devices=2', 'groups=0'].flatMap((one) => ['--set', one])

describe('planted bugs', function () {
  this.timeout(180_000)

  it('are at least a dozen, each with a name of its own and a line that is still there, once', () => {
    expect(mutants.length).to.be.at.least(12)
    expect(new Set(mutants.map(({ name }) => name)).size).to.equal(mutants.length)
    for (const mutant of mutants) {
      expect(staleness(mutant), mutant.name).to.equal(undefined)
      expect(mutant.replace).to.not.equal(mutant.find)
      expect(mutant.scenarios.length, mutant.name).to.be.above(0)
    }
  })

  it('fail a run when their line is gone or is there twice', () => {
    const [mutant] = mutants
    for (const find of ['no such line anywhere', 'const '])
      expect(() => plant({ ...mutant!, find })).to.throw(/is stale/)
  })

  it('are asked for by name', async () => {
    expect(bugIn(['run', 'x'])).to.equal(undefined)
    expect(bugIn(['run', '--plant-bug', 'reuse-key'])?.name).to.equal('reuse-key')
    expect(bugIn(['run', '--plant-bug=reuse-key'])?.name).to.equal('reuse-key')
    const { code, stderr } = await simulate(['list', '--plant-bug', 'no-such-bug'])
    expect(code).to.equal(1)
    expect(stderr).to.match(/no bug no-such-bug/)
  })

  for (const [name, law, scenario, hours] of [
    ['reuse-key', 'no-key-reuse', 'partition-heal', '0.3'],
    ['unsealed-record', 'ciphertext-only-outside', 'partition-heal', '0.3'],
    ['accept-rollback', 'no-rollback', 'two-faced', '0.1'],
  ] as const)
    it(`are noticed: ${name} breaks ${law}`, async () => {
      const words = ['run', scenario, '--seed', '1', '--hours', hours, ...small, '--json']
      const { code, stdout } = await simulate([...words, '--plant-bug', name])
      expect(code).to.equal(10)
      const results = stdout.split('\n').filter((line) => line.includes('"violated"'))
      const last = JSON.parse(results.at(-1) ?? '{}') as RunResult
      expect(last.violated).to.include(law)
    })
})

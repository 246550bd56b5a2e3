/** Mocha's spec reporter, which also leaves its counts in the file that SOTTO_TEST_COUNTS names. */
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

export default class SpecAndCounts extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.SOTTO_TEST_COUNTS
    if (file === undefined) return
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }))
    })
  }
}

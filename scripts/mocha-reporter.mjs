/**
 * Mocha's spec reporter, which also leaves its counts in the file that SOTTO_TEST_COUNTS names. A test that
 * leaves something running fails the run: it neither hangs it nor goes unseen.
 */
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

const lingerMs = 30_000

export default class SpecAndCounts extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => setTimeout(endAnyway, lingerMs).unref())
    const file = process.env.SOTTO_TEST_COUNTS
    if (file === undefined) return
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }))
    })
  }
}

function endAnyway() {
  const left = process.getActiveResourcesInfo().join(', ')
  console.error(`\nTests left something running ${lingerMs / 1_000} s after the last of them: ${left}`)
  process.exit(1)
}

/**
 * `npm test` on a fresh clone: installs what is missing, finds or installs a Chromium, runs every check, and
 * closes with one line of counts. A failed step other than the tests counts as one failure.
 */
import { check } from './check.mjs'
import { findChromium, installChromium } from './chromium.mjs'
import { install } from './install.mjs'

function closingLine({ passed, failed, skipped }) {
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
}

async function prepare() {
  await install()
  const chromium = findChromium() ?? (await installChromium())
  if (chromium !== undefined) {
    process.env.CHROMIUM = chromium
    return
  }
  process.env.SOTTO_SKIP_BROWSER = '1'
  console.error('\n!!! No Chromium found: browser tests are SKIPPED. Set CHROMIUM to the path of one.\n')
}

try {
  await prepare()
  const { counts, failedSteps } = await check()
  const otherFailures = failedSteps.filter((step) => step !== 'tests').length
  const mochaFailures = failedSteps.includes('tests') ? Math.max(counts.failed, 1) : counts.failed
  closingLine({ ...counts, failed: mochaFailures + otherFailures })
} catch (error) {
  console.error(error)
  closingLine({ passed: 0, failed: 1, skipped: 0 })
}

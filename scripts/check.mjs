/**
 * Everything a change must pass. Static steps run two at a time and report only when they fail; then come
 * the tests. A failed step does not stop the others, so that one run tells all there is to mend.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findChromium } from './chromium.mjs'
import { capture, npmRun, root, run } from './run.mjs'

const staticSteps = ['lint', 'types', 'format:check', 'boundaries', 'unused', 'floors']
/** Steps after mocha, each with its output shown. */
const laterSteps = ['sim:ci']
/** A step that hangs fails and lets the others tell what they know. */
const limitMs = 15 * 60_000

const failedSteps = []

async function quiet(step) {
  const startMs = Date.now()
  const { code, text } = await capture(...npmRun(step))
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${step} (${seconds} s)`)
  if (code === 0) return
  failedSteps.push(step)
  process.stdout.write(text)
}

async function worker(waiting) {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await quiet(step)
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

async function tests() {
  const counts = join(root, 'node_modules', '.cache', 'test-counts.json')
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
  rmSync(counts, { force: true })
  const chromium = findChromium()
  const browser = chromium === undefined ? { SOTTO_SKIP_BROWSER: '1' } : { CHROMIUM: chromium }
  const env = { ...process.env, ...browser, SOTTO_TEST_COUNTS: counts }
  if ((await run(join('node_modules', '.bin', 'mocha'), [], { env, limitMs })) !== 0)
    failedSteps.push('tests')
  return readCounts(counts)
}

/** Runs every step; resolves to what mocha counted and the names of the steps that failed. */
export async function check() {
  const waiting = [...staticSteps]
  await Promise.all([worker(waiting), worker(waiting)])
  const counts = await tests()
  for (const step of laterSteps) {
    if ((await run(...npmRun(step), { limitMs })) !== 0) failedSteps.push(step)
  }
  if (failedSteps.length > 0) console.error(`\nFailed: ${failedSteps.join(', ')}`)
  return { counts, failedSteps }
}

if (process.argv[1] === join(root, 'scripts', 'check.mjs')) {
  const { failedSteps: failures } = await check()
  process.exitCode = failures.length > 0 ? 1 : 0
}

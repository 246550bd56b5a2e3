/** Type-checks every project that has sources, two at a time; incremental state lies in node_modules/.cache. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { capture, root } from './run.mjs'

const projects = [
  'packages/core/src',
  'packages/core/bindings',
  'packages/node',
  'packages/web',
  'relay',
  'simulations',
  'test',
]
const nothingToCheck = 'error TS18003'

const waiting = projects.filter((project) => existsSync(join(root, project, 'tsconfig.json')))
let failed = false

async function worker() {
  for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) {
    const { code, text } = await capture(join('node_modules', '.bin', 'tsc'), ['-p', project])
    if (code === 0 || text.includes(nothingToCheck)) continue
    failed = true
    process.stdout.write(text)
  }
}

await Promise.all([worker(), worker()])
process.exitCode = failed ? 1 : 0

/** `npm start` on a fresh clone: installs what is missing, builds the web app when stale, starts Sotto. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { install } from './install.mjs'
import { capture, root, run } from './run.mjs'

const web = join(root, 'packages', 'web')
const builtPage = join(web, 'dist', 'index.html')
const sources = [
  join(root, 'package-lock.json'),
  join(root, 'packages', 'core', 'src'),
  join(root, 'packages', 'core', 'bindings'),
  join(web, 'src'),
  join(web, 'public'),
  join(web, 'index.html'),
  join(web, 'vite.config.ts'),
]

/** When the newest file at or below `path` was written, in milliseconds; 0 when there is none. */
function newestMs(path) {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))))
}

async function buildWeb() {
  if (!existsSync(join(web, 'vite.config.ts'))) {
    console.error('The web app is not part of this copy: starting without it.')
    return
  }
  if (Math.max(...sources.map(newestMs)) <= newestMs(builtPage)) return
  console.error('Building the web app …')
  const { code, text } = await capture(join(root, 'node_modules', '.bin', 'vite'), ['build', web])
  if (code === 0) return
  process.stderr.write(text)
  throw new Error(`vite build ended with code ${code}`)
}

try {
  await install()
  await buildWeb()
  const sotto = join(root, 'packages', 'node', 'bin', 'sotto.mjs')
  process.exitCode = await run(process.execPath, [sotto, 'start', ...process.argv.slice(2)])
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

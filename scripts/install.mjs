/** Installs what package-lock.json names, when what lies in node_modules is not that. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './run.mjs'

const readPackages = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages

/** Whether every package of the lock file lies in node_modules in its locked version. */
export function isInstalled() {
  const installed = join('node_modules', '.package-lock.json')
  if (!existsSync(join(root, installed))) return false
  const present = readPackages(installed)
  return Object.entries(readPackages('package-lock.json')).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/')) return true
    const found = present[path]
    if (found === undefined) return wanted.optional === true || wanted.peer === true
    return found.version === wanted.version && found.link === wanted.link
  })
}

/** Makes node_modules equal the lock file; throws when npm cannot. */
export async function install() {
  if (isInstalled()) return
  console.error('Installing dependencies (once) …')
  const code = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdout: 2,
  })
  if (code !== 0) throw new Error(`npm ci ended with code ${code}`)
}

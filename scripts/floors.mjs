/** Holds package-lock.json against security/floors.json: least versions, refused packages, install scripts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))
const { floors, forbidden, installScripts } = readJson('security', 'floors.json')
const packages = Object.entries(readJson('package-lock.json').packages)
const complaints = []

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

function isBelow(version, floor) {
  const [have, need] = [version, floor].map((text) => text.split('-')[0].split('.').map(Number))
  const at = have.findIndex((part, index) => part !== need[index])
  return at === -1 ? version.includes('-') : have[at] < need[at]
}

for (const [path, { version, hasInstallScript, resolved = '' }] of packages) {
  if (/^[a-z+]+:/.test(resolved)) complaints.push(`${path}: the lock names an origin`)
  if (!path.includes('node_modules/')) continue
  const name = nameOf(path)
  if (name in forbidden) complaints.push(`${name}: ${forbidden[name]}`)
  if (name in floors && isBelow(version, floors[name]))
    complaints.push(`${name} ${version} is below ${floors[name]}`)
  if (hasInstallScript === true && !installScripts.includes(name))
    complaints.push(`${name} ${version} has an install script`)
}

for (const name of Object.keys(floors)) {
  if (!packages.some(([path]) => path.endsWith(`node_modules/${name}`)))
    complaints.push(`${name} has a floor but is not in the lock`)
}

for (const complaint of complaints) console.error(complaint)
process.exitCode = complaints.length > 0 ? 1 : 0

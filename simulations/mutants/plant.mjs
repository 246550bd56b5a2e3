/** Plants one bug in product code while its modules are loaded; nothing on disk changes. */
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)

/** Every bug that can be planted. */
export const mutants = JSON.parse(readFileSync(new URL('mutants.json', import.meta.url), 'utf8'))

/** Why a bug cannot be planted any more, or nothing: its line must occur once. */
export function staleness({ name, file, find }) {
  const times = readFileSync(fileURLToPath(new URL(file, root)), 'utf8').split(find).length - 1
  return times === 1 ? undefined : `planted bug ${name} is stale: its line occurs ${times} times in ${file}`
}

function namedBug(args) {
  const [verb, file] = args
  if (verb === 'replay' || verb === 'shrink') {
    const failure = args.slice(1).find((arg) => arg.endsWith('.json')) ?? file
    return JSON.parse(readFileSync(failure, 'utf8')).plantBug ?? undefined
  }
  const at = args.findIndex((arg) => arg === '--plant-bug' || arg.startsWith('--plant-bug='))
  if (at < 0) return undefined
  return args[at].includes('=') ? args[at].slice(args[at].indexOf('=') + 1) : args[at + 1]
}

/**
 * The bug an argument list asks for: by `--plant-bug NAME`, or by a failure that came of one and is replayed or
 * shrunk. Throws when there is none of that name.
 */
export function bugIn(args) {
  const name = namedBug(args)
  if (name === undefined) return undefined
  const found = mutants.find((mutant) => mutant.name === name)
  if (found === undefined)
    throw new Error(
      `there is no bug ${name} to plant; there are ${mutants.map((one) => one.name).join(', ')}`,
    )
  return found
}

/**
 * Plants a bug in what is loaded from now on; before any other loader, so that it sees the sources as they are
 * written. Returns whether the file was loaded. Throws when the bug is stale.
 */
export function plant(mutant) {
  const stale = staleness(mutant)
  if (stale !== undefined) throw new Error(stale)
  const planted = new Int32Array(new SharedArrayBuffer(4))
  const { find, replace, file } = mutant
  const data = { url: new URL(file, root).href, find, replace, planted }
  register('./load-hook.mjs', import.meta.url, { data })
  return () => Atomics.load(planted, 0) > 0
}

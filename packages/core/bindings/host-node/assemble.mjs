/**
 * Puts a program's sources together into one file and keeps it below `node_modules/.cache` until one of them changes:
 * a program starts several times faster than from hundreds of files that are each translated.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const cache = join(root, 'node_modules', '.cache', 'sotto')

/** Programs that were put together and are used no more may be running still; after so long none is. */
const keptMs = 7 * 86_400_000

/** What tells one version of a file from another. */
function stampOf(path) {
  const { size, mtimeMs } = statSync(join(root, path))
  return `${size} ${mtimeMs}`
}

/**
 * Where a program lies put together, as a URL: anew where a source of it has changed. `entry` is the URL of a `.ts`
 * file. Undefined where it cannot be, as in a folder nobody may write to or with a source that is no TypeScript.
 */
export async function assembled(entry) {
  const name = `${basename(fileURLToPath(entry), '.ts')}-${createHash('sha256').update(entry.href).digest('hex').slice(0, 12)}`
  try {
    return pathToFileURL(known(name) ?? (await assemble(fileURLToPath(entry), name))).href
  } catch {
    return undefined
  }
}

function known(name) {
  try {
    const { program, sources } = JSON.parse(readFileSync(join(cache, `${name}.json`), 'utf8'))
    const isFresh = Object.entries(sources).every(([path, stamp]) => stampOf(path) === stamp)
    return isFresh && statSync(program).isFile() ? program : undefined
  } catch {
    return undefined
  }
}

async function assemble(entry, name) {
  const beganMs = Date.now()
  const { build, stop } = await import('esbuild')
  const folder = join(cache, `${name}-${randomBytes(6).toString('hex')}`)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['sotto-source'],
    sourcemap: true,
    metafile: true,
    logLevel: 'silent',
    plugins: [{ name: 'sources', setup: ownSources }],
  })
  await stop()
  const program = join(folder, `${basename(entry, '.ts')}.mjs`)
  const made = relative(root, fileURLToPath(import.meta.url))
  const sources = Object.fromEntries(
    [...Object.keys(metafile.inputs), made].map((path) => [path, stampOf(path)]),
  )
  // What was written to meanwhile may have been read before: then the next start puts it together again.
  const isSettled = Object.values(sources).every((stamp) => Number(stamp.split(' ')[1]) < beganMs)
  if (isSettled) note(name, { program, sources })
  forget(name, folder)
  return program
}

/** Packages stay where they are installed; a source knows its own place. */
function ownSources({ onResolve, onLoad }) {
  onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
    kind === 'entry-point' || path.startsWith('@sotto/') ? undefined : { path, external: true },
  )
  onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const source = await readFile(path, 'utf8')
    if (!source.includes('import.meta.')) return undefined
    const contents = source
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
      .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
    return { contents, loader: 'ts' }
  })
}

/** Says at once, or not at all, where a program lies and what it was made of. */
function note(name, what) {
  const draft = join(cache, `${name}-${randomBytes(6).toString('hex')}.json`)
  writeFileSync(draft, JSON.stringify(what))
  renameSync(draft, join(cache, `${name}.json`))
}

function forget(name, current) {
  for (const one of readdirSync(cache)) {
    const path = join(cache, one)
    if (path === current || !one.startsWith(`${name}-`)) continue
    if (statSync(path).mtimeMs < Date.now() - keptMs) rmSync(path, { recursive: true, force: true })
  }
}

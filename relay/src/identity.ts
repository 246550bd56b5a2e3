import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RelayFailure, codeOf, exits } from './failure.ts'

const seedBytes = 32

/** Makes the relay's directory, for this user alone. */
export async function makeHome(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new RelayFailure(
      'E_HOME',
      exits.storage,
      'cannot make the data directory',
      'check its path and owner',
      cause,
    )
  }
}

/** The 32-byte transport seed in `identity.key`, made at the first run; the relay's PeerId comes from it. */
export async function loadSeed(directory: string): Promise<Uint8Array> {
  const path = join(directory, 'identity.key')
  try {
    return await readSeed(path)
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw thrown
    await writeSeed(path)
    return readSeed(path)
  }
}

async function readSeed(path: string): Promise<Uint8Array> {
  const seed = new Uint8Array(await readFile(path))
  if (seed.length !== seedBytes) {
    const hint = 'restore identity.key from a backup, or move it away to become a new relay'
    throw new RelayFailure('E_IDENTITY', exits.storage, 'identity.key is damaged', hint)
  }
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
  return seed
}

/** Written beside and linked into place: a crash leaves a whole key or none, and no second start replaces it. */
async function writeSeed(path: string): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(fresh, 'wx', 0o600)
  try {
    await file.writeFile(randomBytes(seedBytes))
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(fresh, path)
  } catch (thrown) {
    if (codeOf(thrown) !== 'EEXIST') throw thrown
  } finally {
    await rm(fresh, { force: true })
  }
}

import type * as Fs from 'node:fs'
import { PortError } from '../../src/errors.ts'
import type { MailboxStore, Store } from '../../src/ports/index.ts'
import { asStore } from './level-errors.ts'
import { createLevelMailboxStore } from './level-mailbox-store.ts'
import { asBytes, createLevelStore } from './level-store.ts'
import { openNodeMarkFile } from './node-mark-file.ts'
import { damagedTables } from './table-check.ts'

/** Sealed bytes do not compress. */
const options = { ...asBytes, compression: false }
/** Flags of the stores this process has open. */
const openHere = new Set<string>()
/** Opening rewrites the log as a table; four times the write buffer is plenty. */
const reopenBytes = 16 * 1024 * 1024

/**
 * Opens or creates a store in the folder `path` (Node only); its mark lies beside it in `<path>.mark`, and
 * `<path>.open` while it is open. After a crash the checksums of all tables are verified first: LevelDB stops
 * the process on some flipped bits, and would do so at every start. `verify: 'always'` does it regardless.
 * PortErrors: `E_STORE_LOCKED` while another process has it, `E_STORE_CORRUPT`, `E_STORE_FULL`, `E_STORE_IO`.
 */
export async function openLevelStore(
  path: string,
  { verify = 'after-crash' }: { readonly verify?: 'always' | 'after-crash' } = {},
): Promise<Store> {
  // A browser that uses the rest of this room must not load these.
  const [{ ClassicLevel }, fs, { crc32 }] = await Promise.all([
    import('classic-level'),
    import('node:fs'),
    import('node:zlib'),
  ])
  return asStore(async () => {
    fs.mkdirSync(path, { recursive: true, mode: 0o700 })
    const flag = `${path}.open`
    if (verify === 'always' || wasLeftOpen(fs, flag)) refuseDamaged(await damagedTables(fs, path))
    const db = new ClassicLevel<Uint8Array, Uint8Array>(path, options)
    await db.open()
    fs.writeFileSync(flag, String(process.pid), { mode: 0o600 })
    openHere.add(flag)
    const mark = openNodeMarkFile(fs, crc32, `${path}.mark`)
    const close = async (): Promise<void> => {
      await mark.close()
      fs.rmSync(flag, { force: true })
      openHere.delete(flag)
    }
    const roomToReopen = async (): Promise<boolean> => {
      const { bavail, bsize } = await fs.promises.statfs(path)
      return bavail * bsize > reopenBytes
    }
    return createLevelStore(db, { markFile: { ...mark, close }, roomToReopen })
  })
}

/** Whether a process that is gone left the flag; of one that lives the database's own lock will tell. */
function wasLeftOpen(fs: typeof Fs, flag: string): boolean {
  if (!fs.existsSync(flag) || openHere.has(flag)) return false
  const pid = Number(fs.readFileSync(flag, 'utf8'))
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return true
  try {
    process.kill(pid, 0) // sends nothing, only asks
    return false
  } catch (error) {
    return (error as { code?: unknown }).code !== 'EPERM'
  }
}

function refuseDamaged(tables: number): void {
  if (tables === 0) return
  throw new PortError('E_STORE_CORRUPT', 'Files of the database are damaged.', {
    hint: 'Restore a backup, or link this device again.',
    detail: { tables },
  })
}

/** Opens or creates a relay's mailbox store in the folder `path` (Node only). PortErrors as `openLevelStore`. */
export async function openLevelMailboxStore(path: string): Promise<MailboxStore> {
  const { ClassicLevel } = await import('classic-level')
  return asStore(async () => {
    const db = new ClassicLevel<Uint8Array, Uint8Array>(path, options)
    await db.open()
    return createLevelMailboxStore(db)
  })
}

import type { MailboxStore, Store } from '../../src/ports/index.ts'
import { asStore } from './level-errors.ts'
import { createLevelMailboxStore } from './level-mailbox-store.ts'
import { asBytes, createLevelStore } from './level-store.ts'
import { openNodeMarkFile } from './node-mark-file.ts'

/** Sealed bytes do not compress. */
const options = { ...asBytes, compression: false }
/** Opening rewrites the log as a table; four times the write buffer is plenty. */
const reopenBytes = 16 * 1024 * 1024

/**
 * Opens or creates a store in the folder `path` (Node only); its mark lies beside it in `<path>.mark`.
 * PortErrors: `E_STORE_LOCKED` while another process has it, `E_STORE_CORRUPT`, `E_STORE_FULL`, `E_STORE_IO`.
 */
export async function openLevelStore(path: string): Promise<Store> {
  // A browser that uses the rest of this room must not load these.
  const [{ ClassicLevel }, fs, { crc32 }] = await Promise.all([
    import('classic-level'),
    import('node:fs'),
    import('node:zlib'),
  ])
  return asStore(async () => {
    fs.mkdirSync(path, { recursive: true, mode: 0o700 })
    const db = new ClassicLevel<Uint8Array, Uint8Array>(path, options)
    await db.open()
    const markFile = openNodeMarkFile(fs, crc32, `${path}.mark`)
    const roomToReopen = async (): Promise<boolean> => {
      const { bavail, bsize } = await fs.promises.statfs(path)
      return bavail * bsize > reopenBytes
    }
    return createLevelStore(db, { markFile, roomToReopen })
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

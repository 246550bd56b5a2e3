import { PortError } from '../errors.ts'
import type { Step } from './context.ts'
import type { SealedStore } from './sealed-store-types.ts'
import { formatRows, onlyRow, rowFormat } from './tables.ts'

/**
 * Refuses rows of another format before any other row is read: those of a later version with `E_STORE_NEWER`,
 * those of the pre-releases before groups with `E_STORE_OLDER`.
 */
export async function requireKnownRows(store: SealedStore): Promise<void> {
  const [row] = await store.getMany(formatRows, [onlyRow])
  const format = row instanceof Uint8Array ? formatRows.decode(row).format : rowFormat
  if (format === rowFormat) return
  await store.close()
  if (format < rowFormat)
    throw new PortError(
      'E_STORE_OLDER',
      'A pre-release of Sotto wrote this store in a format no longer read.',
      {
        hint: 'Begin with a new home.',
      },
    )
  throw new PortError('E_STORE_NEWER', 'A later version of Sotto wrote this store.', {
    hint: 'Update Sotto on this device, then open it again.',
  })
}

/** Writes down the format of the rows in a new home, and again where that row was damaged. */
export async function noteRowFormat(step: Step): Promise<void> {
  const held = await step.tx.load(formatRows, onlyRow).catch(() => undefined)
  if (held?.format !== rowFormat) step.tx.put(formatRows, onlyRow, { format: rowFormat })
}

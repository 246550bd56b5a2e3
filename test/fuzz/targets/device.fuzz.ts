import {
  decodeHead,
  decodeJournal,
  decodeMark,
  decodePage,
  decodeRoot,
  decodeRow,
  encodeHead,
  encodeJournal,
  encodeMark,
  encodePage,
  encodeRoot,
  encodeRow,
} from '../../../packages/core/src/device/sealed-store-codec.ts'
import { bytesOf } from '../../core/identity/invite-world.ts'
import { sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const meta = {
  generation: 7,
  boot: 3,
  clean: true,
  pending: null,
  checkpoint: 5,
  rootDigest: bytesOf('root', 16),
  openedAtMs: 1_760_000_000_000,
}

/** Without a writer only totality is asked: a head's flags have several spellings of one value. */
const target = <T>(
  name: string,
  seeds: readonly Uint8Array[],
  decode: (input: Uint8Array) => T | undefined,
  encode?: (value: T) => Uint8Array,
): FuzzTarget => ({
  name,
  seeds,
  run: (input) => {
    const decoded = decode(input)
    return decoded !== undefined && (encode === undefined || sameBytes(encode(decoded), input))
  },
})

export const targets: readonly FuzzTarget[] = [
  target('device/store head', [encodeHead(meta, bytesOf('digest'))], decodeHead),
  target('device/store journal', [encodeJournal(meta, bytesOf('previous'), [])], decodeJournal),
  target(
    'device/store root',
    [
      encodeRoot([
        {
          table: bytesOf('table', 8),
          bits: 1,
          pageTags: [bytesOf('page 0', 8), bytesOf('page 1', 8)],
          lostPages: 0,
          totals: { count: 3, sum: bytesOf('sum', 16) },
        },
      ]),
    ],
    decodeRoot,
    encodeRoot,
  ),
  target(
    'device/store page',
    [encodePage([[bytesOf('row', 16), bytesOf('tag', 8)]])],
    decodePage,
    encodePage,
  ),
  target(
    'device/store mark',
    [encodeMark({ generation: 9, durable: 8, boot: 2, digest: bytesOf('digest') })],
    decodeMark,
    encodeMark,
  ),
  target(
    'device/store row',
    [encodeRow(bytesOf('key', 20), bytesOf('value', 90))],
    decodeRow,
    ({ key, value }) => encodeRow(key, value),
  ),
]

import { expect } from 'chai'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import type { Step } from '../../../packages/core/src/device/context.ts'
import { Database } from '../../../packages/core/src/device/database.ts'
import { noteWithdrawn } from '../../../packages/core/src/device/resume.ts'
import { counterKey } from '../../../packages/core/src/device/row.ts'
import { openSealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { withdrawnRows } from '../../../packages/core/src/device/tables.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { CollectingLog, MemoryStore, seededRandom } from '../../../packages/core/src/memory/index.ts'
import { nodeProvider } from '../../support/session-world.ts'

describe('device: records withdrawn by an older copy', () => {
  it('are remembered as many as limits.withdrawnRecords, and not one more', async () => {
    const random = seededRandom(nodeProvider, 'withdrawn')
    const key = new Secret(random.bytes(32))
    const sealed = await openSealedStore({
      ...{ crypto: nodeProvider, store: new MemoryStore(), random, key, nowMs: 0 },
    })
    const log = new CollectingLog()
    const tx = (await Database.open(sealed, [withdrawnRows])).begin()
    const step = { tx, context: { log } } as unknown as Step
    const id = (n: number) => nodeProvider.sha256(counterKey(n))
    for (let n = 1; n <= limits.withdrawnRecords; n++)
      noteWithdrawn(step, id(n), { salt: id(0), again: id(n) })
    expect([tx.all(withdrawnRows).length, log.count('withdrawal-not-noted')]).to.deep.equal([
      limits.withdrawnRecords,
      0,
    ])
    noteWithdrawn(step, id(0), { salt: id(0), again: id(0) })
    expect([tx.all(withdrawnRows).length, log.count('withdrawal-not-noted')]).to.deep.equal([
      limits.withdrawnRecords,
      1,
    ])
  })
})

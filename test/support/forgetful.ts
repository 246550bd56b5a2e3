import { MemoryMailboxStore } from '@sotto/core/memory'
import type { MailboxStore } from '@sotto/core/ports'

/** A relay's store that, while it forgets, says that it keeps what it throws away; and counts what it is given twice. */
export class Forgetful {
  forgets = false
  /** Deposits kept, and those that were here already. */
  kept = 0
  again = 0

  /** To be a town's `mailbox`. */
  readonly mailbox = (): MailboxStore => {
    const store = new MemoryMailboxStore()
    const [commit, holds] = [store.commit.bind(store), store.holds.bind(store)]
    store.commit = async (writes) => {
      if (this.forgets) return
      this.kept += writes.filter(({ type }) => type === 'append').length
      await commit(writes)
    }
    store.holds = async (recvId, hash) => {
      const there = await holds(recvId, hash)
      if (there) this.again += 1
      return there
    }
    return store
  }
}

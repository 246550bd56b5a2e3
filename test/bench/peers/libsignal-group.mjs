/** libsignal's sender keys behind the interface of `group-peer.ts`; each message is signed by its sender key, stores hold serialised records. */
import * as signal from '@signalapp/libsignal-client'

class SenderKeys extends signal.SenderKeyStore {
  records = new Map()
  async saveSenderKey(sender, id, record) {
    this.records.set(`${sender.toString()}/${id}`, record.serialize())
  }
  async getSenderKey(sender, id) {
    const bytes = this.records.get(`${sender.toString()}/${id}`)
    return bytes === undefined ? null : signal.SenderKeyRecord.deserialize(bytes)
  }
}

const group = 'd1d1d1d1-7000-11eb-b32a-33b8a8a487a6'

async function start() {
  const sender = signal.ProtocolAddress.new('alice', 1)
  const [from, to] = [new SenderKeys(), new SenderKeys()]
  const keys = await signal.SenderKeyDistributionMessage.create(sender, group, from)
  await signal.processSenderKeyDistributionMessage(sender, keys, to)
  const seal = async (text) => (await signal.groupEncrypt(sender, group, from, text)).serialize()
  return { seal, to, open: (bytes) => signal.groupDecrypt(sender, to, bytes) }
}

export const name = 'libsignal 0.103'

export async function pair(text) {
  const { seal, open } = await start()
  return {
    send: async () => {
      const bytes = await seal(text)
      await open(bytes)
      return bytes.length
    },
  }
}

export async function backlog(text, count) {
  const { seal, open, to } = await start()
  const waiting = []
  for (let i = 0; i < count; i++) waiting.push(await seal(text))
  const before = new Map(to.records)
  return async () => {
    to.records = new Map(before)
    for (const bytes of waiting) await open(bytes)
  }
}

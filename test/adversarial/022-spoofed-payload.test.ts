import { expect } from 'chai'
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { pad, unpad } from '../../packages/core/src/crypto/index.ts'
import { payloadFrame, type Payload, type PayloadItem } from '../../packages/core/src/device/payload.ts'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'

type Rewrite = (payload: Payload) => Payload

/** A provider whose owner rewrites its own payloads before they are sealed, with real keys and sessions. */
const lying = (inner: CryptoProvider, rewrite: () => Rewrite | undefined): CryptoProvider => ({
  ...inner,
  seal: (key, nonce, plaintext, associated) => {
    const open = unpad(plaintext)
    const payload = open === undefined ? undefined : payloadFrame.decode(open)
    const change = rewrite()
    if (payload?.ok !== true || change === undefined) return inner.seal(key, nonce, plaintext, associated)
    return inner.seal(key, nonce, pad(payloadFrame.encode(change(payload.value))), associated)
  },
})

const withItems =
  (change: (item: PayloadItem) => PayloadItem): Rewrite =>
  (payload) => ({ ...payload, items: payload.items.map(change) })

describe('022, 023, 024: a contact who lies inside a valid session', () => {
  const stage = async () => {
    const town = await Town.found()
    let rewrite: Rewrite | undefined
    const heard: PayloadItem[] = []
    town.provider = (crypto, name) => {
      if (name === 'Mallory') return lying(crypto, () => rewrite)
      if (name !== 'Ada') return crypto
      // What Ada really says, for Mallory to misuse.
      return lying(crypto, () => (payload) => {
        heard.push(...payload.items)
        return payload
      })
    }
    const people: Person[] = []
    for (const name of ['Ada', 'Bob', 'Mallory']) people.push(await town.person(name))
    const [ada, bob, mallory] = people as [Person, Person, Person]
    const withAda = await befriend(town, ada, mallory)
    const withBob = await befriend(town, bob, mallory)
    const adaBob = await befriend(town, ada, bob)
    await mallory.device.dispatch('send', { conversationId: withAda, text: 'Mallory to Ada' })
    await town.pass(5_000)
    await ada.device.dispatch('send', { conversationId: withAda, text: 'Ada to Mallory' })
    await ada.device.dispatch('send', { conversationId: adaBob, text: 'Ada to Bob' })
    await town.pass(5_000)
    const lie = async (next: Rewrite): Promise<void> => {
      rewrite = next
      await mallory.device.dispatch('send', { conversationId: withBob, text: 'a lie' })
      await town.pass(3_000)
      rewrite = undefined
    }
    const before = JSON.stringify([await bob.device.view('contacts', {}), await bob.texts(adaBob)])
    const after = async (): Promise<string> =>
      JSON.stringify([await bob.device.view('contacts', {}), await bob.texts(adaBob)])
    return { town, ada, bob, mallory, withBob, heard, lie, before, after }
  }

  it('cannot pass on what another contact signed, nor change who a record names', async () => {
    const { bob, heard, lie, before, after, withBob, town } = await stage()
    const records = heard.flatMap((item) => (item.kind === 'records' ? item.records : []))
    expect(records).to.have.length.above(1)
    await lie(withItems((item) => (item.kind === 'records' ? { ...item, records } : item)))
    await lie(
      withItems((item) =>
        item.kind === 'records'
          ? {
              ...item,
              records: item.records.map((record) => {
                const bytes = record.bytes.slice()
                bytes[100] = (bytes[100] ?? 0) ^ 1
                return { ...record, bytes }
              }),
            }
          : item,
      ),
    )
    expect(await bob.texts(withBob)).to.deep.equal([])
    expect(await after()).to.equal(before)
    await town.pass(600_000)
    expect(await bob.texts(withBob), 'the honest copies, sealed again').to.deep.equal(['a lie', 'a lie'])
  })

  it('cannot hand out a card with somebody else’s bundle, or acknowledge in another’s name', async () => {
    const { town, bob, mallory, heard, lie, before, after, withBob } = await stage()
    const foreign = heard.find((item) => item.kind === 'card')
    if (foreign === undefined) throw new Error('Ada sent no card')
    const got = heard.find((item) => item.kind === 'got')
    if (got === undefined) throw new Error('Ada acknowledged nothing')
    town.hub.cut(bob.peerId, mallory.peerId)
    await bob.device.dispatch('send', { conversationId: withBob, text: 'undelivered' })
    town.hub.heal(bob.peerId, mallory.peerId)
    const rejected = () =>
      bob.log.lines.filter((line) => JSON.stringify(line).includes('card-rejected')).length
    await lie((payload) => ({
      ...payload,
      items: [
        { ...foreign, seq: 1_000 },
        { ...got, upTo: 50 },
      ],
    }))
    expect(rejected()).to.be.above(0)
    expect(await after()).to.equal(before)
    expect((await bob.device.view('status', {})).warnings).to.deep.equal([])
  })

  it('cannot make the device stop, whatever its payload says', async () => {
    const { town, bob, lie, withBob, mallory } = await stage()
    const huge = Number.MAX_SAFE_INTEGER
    const nonsense: Rewrite[] = [
      (payload) => ({ ...payload, boot: huge, bootSeen: huge, sentAtMs: huge }),
      (payload) => ({ ...payload, boot: 0, bootSeen: 0, sentAtMs: 0 }),
      (payload) => ({ ...payload, items: [] }),
      (payload) => ({ ...payload, items: [{ kind: 'refused', code: 'E_INVITE_USED' }] }),
      (payload) => ({ ...payload, items: [{ kind: 'cardGot', seq: huge }] }),
      (payload) => ({
        ...payload,
        myLogHeads: Array.from({ length: 64 }, (_, i) => new Uint8Array(32).fill(i)),
      }),
      (payload) => ({ ...payload, items: [{ kind: 'logNeed', heads: [] }] }),
      (payload) => ({ ...payload, items: [{ kind: 'logOps', ops: [new Uint8Array(2_000)] }] }),
      (payload) => ({
        ...payload,
        items: payload.items.map((item) =>
          item.kind === 'got' ? { ...item, upTo: huge, holes: [huge, 0, 5, 5] } : item,
        ),
      }),
    ]
    for (const rewrite of nonsense) await lie(rewrite)
    await bob.device.dispatch('send', { conversationId: withBob, text: 'still here' })
    await town.pass(1_200_000)
    expect(await mallory.texts(withBob)).to.include('still here')
    expect(await bob.device.view('self', {})).to.include({ name: 'Bob' })
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { splices } from '../../../packages/core/src/device/command-details.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

async function couple() {
  const town = await Town.found()
  const ada = await town.person('Ada')
  const bob = await town.person('Bob')
  return { town, ada, bob, conversationId: await befriend(town, ada, bob) }
}

describe('device: what a conversation says beside its messages', () => {
  it('topic, picture, pins and note are the same for everybody in it', async () => {
    const { town, ada, bob, conversationId } = await couple()
    const { messageId } = await ada.device.dispatch('send', { conversationId, text: 'pin me' })
    await ada.device.dispatch('set-topic', { conversationId, topic: 'The lake' })
    await ada.device.dispatch('pin', { messageId })
    await ada.device.dispatch('set-picture', { conversationId, picture: 'AQID' })
    await ada.device.dispatch('set-note', { conversationId, note: 'bread\ncheese' })
    await town.pass(10_000)
    const details = { topic: 'The lake', picture: 'AQID', pins: [messageId], note: 'bread\ncheese' }
    expect(await bob.device.view('details', { conversationId })).to.deep.equal(details)
    // Apart, each changes another end of the note.
    town.hub.cut(ada.peerId, bob.peerId)
    await ada.device.dispatch('set-note', { conversationId, note: 'bread\ncheese\nwine' })
    await bob.device.dispatch('set-note', { conversationId, note: 'black bread\ncheese' })
    await bob.device.dispatch('unpin', { conversationId, messageId })
    await bob.device.dispatch('set-picture', { conversationId, picture: null })
    town.hub.heal(ada.peerId, bob.peerId)
    await town.pass(1_800_000)
    const both = { topic: 'The lake', picture: null, pins: [], note: 'black bread\ncheese\nwine' }
    for (const one of [ada, bob])
      expect(await one.device.view('details', { conversationId })).to.deep.equal(both)
  })

  it('has limits, and says so', async () => {
    const { ada, conversationId } = await couple()
    const refused = async (topic: string) =>
      ada.device.dispatch('set-topic', { conversationId, topic }).then(() => undefined, codeOf)
    expect(await refused('x'.repeat(limits.nameBytes))).to.equal(undefined)
    expect(await refused('x'.repeat(limits.nameBytes + 1))).to.equal('E_TOPIC')
    expect(await refused('\ud800')).to.equal('E_TOPIC')
    const picture = (bytes: number) => 'A'.repeat(Math.ceil((bytes * 4) / 3))
    const shown = async (bytes: number) =>
      ada.device
        .dispatch('set-picture', { conversationId, picture: picture(bytes) })
        .then(() => undefined, codeOf)
    expect(await shown(limits.pictureBytes)).to.equal(undefined)
    expect(await shown(limits.pictureBytes + 1)).to.equal('E_PICTURE')
    expect(await shown(0)).to.equal('E_PICTURE')
    const noted = async (note: string) =>
      ada.device.dispatch('set-note', { conversationId, note }).then(() => undefined, codeOf)
    expect(await noted('é'.repeat(limits.noteChars))).to.equal(undefined)
    expect((await ada.device.view('details', { conversationId })).note).to.have.length(limits.noteChars)
    expect(await noted('x'.repeat(limits.noteChars + 1))).to.equal('E_TEXT')
    const drafted = async (text: string) =>
      ada.device.dispatch('set-draft', { conversationId, text }).then(() => undefined, codeOf)
    expect(await drafted('x'.repeat(limits.draftBytes))).to.equal(undefined)
    expect(await drafted('x'.repeat(limits.draftBytes + 1))).to.equal('E_TEXT')
  })

  it('a note is changed by edits that give it exactly, and tear no character', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '𝄞', '𝄢', 'é'), { maxLength: 12 })
      .map((parts) => parts.join(''))
    const long = fc.oneof(
      text,
      text.map((part) => part.repeat(400)),
    )
    fc.assert(
      fc.property(long, long, (before, after) => {
        let note = before
        for (const edit of splices(before, after)) {
          if (edit.kind !== 'splice') throw new Error('no splice')
          const { at, remove, insert } = edit
          for (const cut of [at, at + remove])
            expect(/[\ud800-\udbff]$/.test(note.slice(0, cut)), 'a torn character').to.equal(false)
          note = note.slice(0, at) + insert + note.slice(at + remove)
        }
        expect(note === after).to.equal(true)
      }),
    )
  })
})

describe('device: what own devices share', () => {
  it('settings, drafts, verifications and what was read', async () => {
    const { town, ada, bob, conversationId } = await couple()
    await ada.device.dispatch('set-draft', { conversationId, text: 'Dear Bob' })
    const laptop = await town.link(ada, 'laptop', 'all')
    await town.pass(2 * limits.ownPauseMs)
    expect(await laptop.device.view('drafts', {})).to.deep.equal([{ conversationId, text: 'Dear Bob' }])
    await laptop.device.dispatch('set-draft', { conversationId, text: '' })
    await laptop.device.dispatch('set-setting', { key: 'previews', value: 'on' })
    await laptop.device.dispatch('set-setting', { key: 'name', value: 'Ada L.' })
    const [contact] = await ada.device.view('contacts', {})
    await ada.device.dispatch('verify-contact', { accountId: contact!.accountId, verified: true })
    for (const text of ['one', 'two', 'three']) await bob.device.dispatch('send', { conversationId, text })
    await town.pass(2 * limits.ownPauseMs)
    expect(await ada.device.view('drafts', {})).to.deep.equal([])
    const settings = await ada.device.view('settings', {})
    expect([settings.name, settings.previews]).to.deep.equal(['Ada L.', true])
    expect((await laptop.device.view('contacts', {}))[0]?.verified).to.equal(true)
    const unread = async (one: typeof ada) =>
      (await one.device.view('conversations', {})).find((view) => view.conversationId === conversationId)
        ?.unread
    expect([await unread(ada), await unread(laptop)]).to.deep.equal([3, 3])
    await ada.device.dispatch('mark-read', { conversationId })
    await town.pass(2 * limits.ownPauseMs)
    expect([await unread(ada), await unread(laptop)]).to.deep.equal([0, 0])
    expect(laptop.events.filter(({ type }) => type === 'read')).to.have.length(1)
    await bob.device.dispatch('send', { conversationId, text: 'four' })
    await town.pass(10_000)
    expect(await unread(laptop)).to.equal(1)
    // Nothing more is said once all is told.
    const before = (await ada.device.view('status', {})).outbox
    await town.pass(10 * limits.ownPauseMs)
    expect((await ada.device.view('status', {})).outbox).to.equal(before)
  })
})

/** Two whole devices and a member that is somebody's puppet: what it signs, in payloads and in sync. */
import { syncFrames, type PayloadItem } from '../../../packages/core/src/device/payload.ts'
import { bodyRows, recordRows } from '../../../packages/core/src/device/tables.ts'
import {
  emptySegment,
  growSegment,
  readRecord,
  type SegmentSet,
  syncAnswerFrame,
  syncAskFrame,
} from '../../../packages/core/src/history/index.ts'
import type { Signature } from '../../../packages/core/src/crypto/index.ts'
import { equalBytes, fromBase32, fromHex } from '../../../packages/core/src/wire/index.ts'
import type { Writer, Written } from '../../core/history/segment-world.ts'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, befriend, groupOf } from '../../support/friends.ts'
import { OpenedHome } from '../../support/opened-home.ts'
import { Puppet } from '../../support/puppet.ts'
import { drawFrom, type Draw } from '../mutator.ts'
import { byTurns, Tally, type HostileCampaign, type Lie } from './lie.ts'
import { recordLies, type ToldRecord } from './record-lies.ts'
import { runLies } from './run-lies.ts'
import type { LiarsView, SegmentScene } from './segment-target.ts'

/** What Mallory says to Ada: items of one payload, or the frames of an answer she asked for. */
export type ToldDevice =
  | { readonly kind: 'items'; readonly items: readonly PayloadItem[] }
  | { readonly kind: 'runs'; readonly frame: Uint8Array }

type DeviceLie = Lie<LiarsView, ToldDevice>

/** What a device writes down of a record, by what admission says of it; it says nothing of what waits. */
const ofAdmission = (answer: string): string => {
  const [admission] = answer.split(', ')
  return admission === 'held' || admission === 'wrong-conversation' ? 'silence' : 'record-rejected'
}

/** Where a device stops a record before it is judged, or keeps it waiting for what it cites. */
const stoppedBefore: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'in the name of another, signed by the liar': ['record-of-another'],
  'in the name of another, brought as the liar’s': ['record-of-another'],
  'a device of the liar’s in another’s account': ['record-of-another'],
  'a stranger': ['record-of-another'],
  // Of Ada's own she knows more than anybody.
  'an old record of another, signed anew': ['record-of-another', 'silence'],
  // Heads nobody knows are waited for.
  'a link twice': ['record-rejected', 'silence'],
}

const fromRecord = (lie: Lie<LiarsView, ToldRecord>): DeviceLie => ({
  name: `record: ${lie.name}`,
  answers: stoppedBefore[lie.name] ?? [ofAdmission(lie.answers[0])],
  tell: (view, draw) => {
    const told = lie.tell(view, draw)
    if (told === undefined) return undefined
    const { bytes, signature, said } = told
    return { kind: 'items', items: [{ kind: 'records', from: 0, records: [{ bytes, signature, said }] }] }
  },
})

/** Silence: it was awaited and read, which would be said otherwise, and nothing came of it. */
const fromRuns = (lie: Lie<LiarsView, Uint8Array>): DeviceLie => ({
  name: `sync: ${lie.name}`,
  answers: [lie.answers[0] === 'malformed' ? 'sync-malformed' : 'silence'],
  tell: (view, draw) => {
    const frame = lie.tell(view, draw)
    return frame && { kind: 'runs', frame }
  },
})

/**
 * What is larger than the item that would carry it is no payload at all; a number that is taken renews the session,
 * and the liar is heard no more (test/adversarial/051); and here is one segment, in which nobody forked.
 */
const leftOut: ReadonlySet<string> = new Set([
  ...['a bomb of links', 'bytes after the end', 'a nest', 'a bomb of records'],
  ...['a first number with something before it', 'another’s record as its own last'],
  ...['a link into another segment', 'a place where the device forked'],
])
const fits = ({ name }: { readonly name: string }): boolean => !leftOut.has(name)

const deviceLies: readonly DeviceLie[] = [
  ...recordLies.filter(fits).map(fromRecord),
  ...runLies.filter(fits).map(fromRuns),
]

/** Lies between looks at what Ada keeps. */
const liesALook = 100
/** Frames an answer says it has. */
const framesAnAnswer = 100
/** Lies to one town; then talk goes on, a home is opened again, and another town is founded. */
const liesATown = 2_000

class DeviceTarget implements LiarsView {
  readonly town: Town
  readonly ada: Person
  readonly bob: Person
  readonly puppet: Puppet
  readonly conversationId: string
  readonly scene: SegmentScene
  readonly set: SegmentSet
  #kept = ''
  /** Frames of the answer under way that are still to come. */
  #frames = 0
  /** Questions that were answered. */
  #answered = 0

  private constructor(
    town: Town,
    people: readonly [Person, Person],
    puppet: Puppet,
    conversationId: string,
    honest: readonly Written[],
  ) {
    this.town = town
    ;[this.ada, this.bob] = people
    this.puppet = puppet
    this.conversationId = conversationId
    const { self, identity } = puppet.home.me
    const liar: Writer = { account: self.account, device: self.device, keys: identity }
    const by = (device: Uint8Array) =>
      honest.filter(({ header }) => equalBytes(header.content.device, device))
    const own = by(self.device).map(({ header }) => header)
    // Bob's: he spoke after Ada each time.
    const other = honest.findLast(({ header }) => !equalBytes(header.content.device, self.device))!.header
      .content
    const { conversation, segment, groupHeads } = own.at(-1)!.content
    this.scene = {
      ...{ place: { conversation, segment, groupHeads }, liar, honest, own, elsewhere: [] },
      victim: { account: other.account, device: other.device, keys: identity },
      ...{ refused: [], counting: [], keptBack: [] },
    }
    const arrivals = honest.map(({ header, signature }) => ({ header, signature }))
    this.set = growSegment(town.crypto, emptySegment(conversation, segment), 'all', arrivals, () => ({
      standing: 'member',
      identityKey: identity.publicKey,
    })).set
  }

  static async found(draw: Draw): Promise<DeviceTarget> {
    const town = await Town.found()
    const [ada, bob, mallory] = await acquainted(town, ['Ada', 'Bob', 'Mallory'])
    await befriend(town, bob, mallory)
    const conversationId = await groupOf(town, ada, [bob, mallory], 'Lies')
    for (let i = 0; i < 4; i++)
      for (const person of [ada, bob, mallory]) {
        await person.device.dispatch('send', { conversationId, text: `${person.name} ${i} ${draw(1_000)}` })
        await town.pass(5_000)
      }
    const puppet = await Puppet.possess(town, mallory)
    const honest = await recordsIn(puppet, conversationId)
    const target = new DeviceTarget(town, [ada, bob], puppet, conversationId, honest)
    target.#kept = await target.#keeps()
    return target
  }

  /** Every record Ada's home holds that counts, with its body. */
  async #keeps(): Promise<string> {
    const home = await OpenedHome.of(this.town.crypto, this.ada, this.town.clock.nowMs())
    return home.dump([recordRows, bodyRows])
  }

  /** What Ada's device writes down of it. */
  async hear(told: ToldDevice): Promise<string> {
    const items = told.kind === 'items' ? told.items : await this.#asAnswer(told.frame)
    const before = this.ada.log.lines.length
    await this.puppet.say(this.ada, items)
    const said = this.ada.log.lines.slice(before).map(({ name }) => name)
    if (said.includes('record-rejected')) this.#remember(items)
    return said.length === 0 ? 'silence' : [...new Set(said)].sort().join(', ')
  }

  /** What was refused is built on later. */
  #remember([item]: readonly PayloadItem[]): void {
    const bytes = item?.kind === 'records' ? item.records[0]?.bytes : undefined
    const header = bytes && readRecord(this.town.crypto, bytes)
    if (header !== undefined && equalBytes(header.content.device, this.scene.liar.device))
      this.scene.refused.push(header)
  }

  /** A frame of an answer; a question is provoked where none is open. */
  async #asAnswer(frame: Uint8Array): Promise<readonly PayloadItem[]> {
    if (this.#frames === 0) await this.#beAsked()
    this.#frames -= 1
    return [{ kind: 'sync', conversation: this.#id, what: syncFrames.runs, frame }]
  }

  get #id(): Uint8Array {
    return this.scene.place.conversation
  }

  /** Says to hold what Ada holds, until she asks; then that much is to come. */
  async #beAsked(): Promise<void> {
    const { puppet, ada, town } = this
    const nothing = { conversation: this.#id, accounts: [], heads: [], since: null, logs: [], ops: [] }
    for (let tries = 0; this.#asks().length <= this.#answered; tries++) {
      if (tries === 5) throw new Error('Ada does not ask')
      if (tries > 0) await town.pass(61_000)
      await puppet.say(ada, [{ kind: 'group', ...(this.#heard('group').at(-1) ?? nothing), ops: [] }])
    }
    this.#answered = this.#asks().length
    const nonce = this.#asks().at(-1)!
    const answer = { version: 1, nonce, behind: [], older: null, frames: framesAnAnswer } as const
    const frame = syncAnswerFrame.encode(answer)
    await puppet.say(ada, [{ kind: 'sync', conversation: this.#id, what: syncFrames.answer, frame }])
    this.#frames = framesAnAnswer
  }

  /** What Ada asked for, each time by a number of its own. */
  #asks(): readonly Uint8Array[] {
    return this.#heard('sync').flatMap(({ what, frame }) => {
      const ask = what === syncFrames.ask ? syncAskFrame.decode(frame) : undefined
      return ask?.ok === true ? [ask.value.nonce] : []
    })
  }

  /** Items of a kind that Ada said of the conversation. */
  #heard<K extends 'group' | 'sync'>(kind: K): readonly Extract<PayloadItem, { readonly kind: K }>[] {
    return this.puppet.heard.flatMap(({ from, payload }) =>
      payload.items.filter(
        (item): item is Extract<PayloadItem, { readonly kind: K }> =>
          from === this.ada.peerId &&
          item.kind === kind &&
          'conversation' in item &&
          equalBytes(item.conversation, this.#id),
      ),
    )
  }

  async look(tally: Tally): Promise<void> {
    if ((await this.#keeps()) !== this.#kept) tally.wrong('lies are kept among what counts')
  }

  /** Talk goes on, everybody has the same, and a home that is opened again reads as before. */
  async end(tally: Tally): Promise<void> {
    await this.look(tally)
    const { ada, bob, town, conversationId } = this
    for (const person of [ada, bob])
      await person.device.dispatch('send', { conversationId, text: `${person.name} goes on` })
    await town.pass(120_000)
    const [hers, his] = [await ada.texts(conversationId), await bob.texts(conversationId)]
    if (hers.join() !== his.join()) tally.wrong('two devices show different histories')
    if (!['Ada goes on', 'Bob goes on'].every((text) => hers.includes(text)))
      tally.wrong('talk does not go on')
    await ada.close()
    await ada.open(true)
    if ((await ada.texts(conversationId)).join() !== hers.join())
      tally.wrong('a home opened again reads otherwise')
    for (const person of [ada, bob]) await person.close()
    await this.puppet.leave()
  }
}

/** Every record of the newest segment that a home holds. */
async function recordsIn(puppet: Puppet, conversationId: string): Promise<readonly Written[]> {
  const conversation = fromBase32(conversationId)!
  const all: Written[] = []
  for (const [id, value] of await puppet.home.raw(recordRows)) {
    const { bytes, signature } = recordRows.decode(value)
    const header = readRecord(puppet.crypto, bytes)
    const said = (await puppet.home.rows.load(bodyRows, fromHex(id)))?.said
    if (header === undefined || said === undefined || !equalBytes(header.content.conversation, conversation))
      continue
    all.push({ header, signature: signature ?? (new Uint8Array(64) as Signature), ...said })
  }
  return all.sort((a, b) => a.header.content.lamport - b.header.content.lamport)
}

/** Lies to devices. */
export const deviceCampaign: HostileCampaign = {
  room: 'device: payloads and sync',
  run: async (inputs, seed) => {
    const draw = drawFrom(seed)
    const tally = new Tally('device: payloads and sync', deviceLies)
    const turns = byTurns(deviceLies, draw)
    while (tally.inputs < inputs) {
      const target = await DeviceTarget.found(draw)
      for (let told = 0; told < liesATown && tally.inputs < inputs; told++) {
        const lie = turns.next().value
        const input = lie.tell(target, draw)
        if (input === undefined) continue
        tally.note(lie, await target.hear(input))
        if (told % liesALook === 0) await target.look(tally)
      }
      await target.end(tally)
    }
    return tally.finish()
  },
}

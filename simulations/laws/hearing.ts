import type { DeviceEvent, MessageView } from '@sotto/core'
import type { Watched } from './watched.ts'
import type { Ledger, Said } from './ledger.ts'

/** What one machine has heard. */
interface Heard {
  readonly ids: Set<string>
  /** Texts, and when it was first told of each. */
  readonly markers: Map<string, number>
  /** Devices it was told go on from an older copy, or are in use twice, and when. */
  readonly rolledBack: Map<string, number>
  /** When it was told of a new device, and of its own messages, by number of the event. */
  readonly announced: Map<string, number>
  readonly revoked: Set<string>
  readonly own: Map<string, number>
  /** When it first heard of an account. */
  readonly acquainted: Map<string, number>
}

const copyOf = ({ ids, markers, rolledBack, announced, revoked, own, acquainted }: Heard): Heard => ({
  ids: new Set(ids),
  markers: new Map(markers),
  rolledBack: new Map(rolledBack),
  announced: new Map(announced),
  revoked: new Set(revoked),
  own: new Map(own),
  acquainted: new Map(acquainted),
})

/** A word between two devices: whoever said it must have been told of the other one before. */
interface Word {
  readonly from: Watched
  readonly to: Watched
  readonly messageId: string
}

/** What stands between the world and a verdict on what is heard. */
export interface Ears {
  readonly nowMs: () => number
  /** Whether a relay ever held what carries a text. */
  readonly relayHeld: (marker: string) => boolean
}

/** Everything devices tell their faces, held against the ledger. */
export class Hearing {
  readonly #ledger: Ledger
  readonly #ears: Ears
  readonly #heard = new Map<string, Heard>()
  readonly #words: Word[] = []

  constructor(ledger: Ledger, ears: Ears) {
    this.#ledger = ledger
    this.#ears = ears
  }

  /** An event of a machine, heard or read back after a restart; each is given once. */
  hear(machine: Watched, event: DeviceEvent): void {
    const heard = this.#of(machine)
    switch (event.type) {
      case 'message':
        this.#acquaint(heard, event.message.author.accountId)
        return this.#hearMessage(machine, heard, event.message, event.seq)
      case 'message.edited':
      case 'message.deleted':
      case 'message.reacted':
        return void this.#ledger.judge(machine, event.message)
      case 'state':
        return this.#hearState(event.messageId, event.state)
      case 'contact':
        return this.#acquaint(heard, event.contact.accountId)
      case 'device':
        this.#acquaint(heard, event.accountId)
        if (!heard.announced.has(event.deviceId) && event.change === 'added')
          heard.announced.set(event.deviceId, event.seq)
        // Its removal has come undone.
        if (event.change === 'added') heard.revoked.delete(event.deviceId)
        if (event.change === 'revoked') heard.revoked.add(event.deviceId)
        if (event.change === 'rolled-back' && !heard.rolledBack.has(event.deviceId))
          heard.rolledBack.set(event.deviceId, this.#ears.nowMs())
        return
      case 'group':
      case 'request':
      case 'invite':
      case 'link':
      case 'connection':
      case 'warning':
      case 'account':
      case 'draft':
      case 'read':
      case 'settings':
    }
  }

  /** What a machine has heard up to now; called, it has heard no more than that, as its disk from now would have it. */
  remember(machine: Watched): () => void {
    const before = copyOf(this.#of(machine))
    return () => void this.#heard.set(machine.name, before)
  }

  /** Whether a machine was told of a text. */
  wasTold = (machine: Watched, marker: string): boolean => this.#of(machine).markers.has(marker)

  /** When a machine was first told of a text, or that a device goes on from an older copy; never is the end of time. */
  toldMs = (machine: Watched, marker: string): number => this.#of(machine).markers.get(marker) ?? Infinity
  rolledBackMs = (machine: Watched, deviceId: string): number =>
    this.#of(machine).rolledBack.get(deviceId) ?? Infinity

  /** Whether a machine has heard of a device's account before the device came, or of the device. */
  knows(machine: Watched, { accountId, deviceId, madeMs }: Watched): boolean {
    const heard = this.#of(machine)
    return heard.announced.has(deviceId) || (heard.acquainted.get(accountId) ?? Infinity) < madeMs
  }

  /** Devices a machine was told are out. */
  revokedFor = (machine: Watched): ReadonlySet<string> => this.#of(machine).revoked

  /** At the end, when every machine has told all it had to: was each device announced before it was spoken to? */
  judgeSilence(): void {
    for (const { from, to, messageId } of this.#words) {
      const heard = this.#of(from)
      const own = from.accountId === to.accountId
      const knownSince = own ? from.sinceMs : (heard.acquainted.get(to.accountId) ?? Infinity)
      const said = heard.own.get(messageId)
      if (said === undefined || knownSince >= to.madeMs) continue
      const told = heard.announced.get(to.deviceId)
      if (told === undefined || told > said)
        this.#ledger.violate(
          'nobody-silent',
          `${from.name} speaks to ${to.name} and was not told of it before`,
        )
    }
  }

  #hearMessage(machine: Watched, heard: Heard, message: MessageView, seq: number): void {
    const said = this.#ledger.judge(machine, message)
    if (said === undefined) return
    const twice = heard.ids.has(message.messageId) || heard.markers.has(said.marker)
    const excused = machine.rotten || machine.doubled || said.mayMove
    if (twice && !excused)
      this.#ledger.violate('no-duplicate', `${machine.name} is told of ${said.marker} twice`)
    heard.ids.add(message.messageId)
    if (!twice) heard.markers.set(said.marker, this.#ears.nowMs())
    if (message.author.deviceId === machine.deviceId) {
      heard.own.set(message.messageId, seq)
      return
    }
    said.shownAtMs ??= this.#ears.nowMs()
    const from = this.#ledger.ownerOf(message.author.deviceId)?.machine
    if (from !== undefined && said.readers?.has(machine.deviceId) === true)
      this.#words.push({ from, to: machine, messageId: message.messageId })
  }

  /**
   * Every device of the others that its sender counted on must have it, and is asked if it only said that much came. A
   * text that was taken back or edited is gone at its author's, too: then the word that did it, which may be another
   * device's and has a ladder of its own, is what is to come.
   */
  #hearState(messageId: string, state: string): void {
    const said = this.#ledger.original(messageId)
    if (said === undefined || said.kind !== 'message') return
    if (state === 'relayed') {
      said.relayed = true
      if (!said.lied && !this.#wasAtRelay(said, messageId))
        this.#ledger.violate('ladder-honesty', `${said.marker} is called relayed and no relay held it`)
    }
    if (state !== 'delivered' && state !== 'read') return
    const deletes = this.#ledger.rooms.get(said.conversationId)?.deletes
    const isReplaced = deletes?.has(messageId) === true || this.#ledger.editsOf(messageId).length > 0
    for (const machine of this.#countedOn(said)) {
      if (this.wasTold(machine, said.marker)) continue
      machine.device?.view('message', { messageId }).then(
        ({ text }) => {
          if (text === null && !isReplaced) this.#boast(said, state, machine)
        },
        () => {
          this.#boast(said, state, machine)
        },
      )
    }
  }

  /** Whether a relay held its text, or the one that took its place before it left; of what was taken back none need be. */
  #wasAtRelay(said: Said, messageId: string): boolean {
    if (this.#ledger.rooms.get(said.conversationId)?.deletes.has(messageId) === true) return true
    return [said, ...this.#ledger.editsOf(messageId)].some(({ marker }) => this.#ears.relayHeld(marker))
  }

  #boast(said: Said, state: string, machine: Watched): void {
    this.#ledger.violate(
      'ladder-honesty',
      `${said.marker} is called ${state} and ${machine.name} does not have it`,
    )
  }

  /** Devices of others that were to read it and that nobody tried to put out. */
  #countedOn(said: Said): readonly Watched[] {
    const room = this.#ledger.rooms.get(said.conversationId)
    return [...(said.readers ?? [])].flatMap((deviceId) => {
      const machine = this.#ledger.ownerOf(deviceId)?.machine
      const counted =
        machine !== undefined &&
        machine.person !== said.author &&
        // Its copy may have had it in its place.
        !machine.doubled &&
        // It had it, and its older copy does not.
        (machine.setBack?.atMs ?? 0) <= said.atMs &&
        room?.wasPutOut(machine.person) === false &&
        !this.#ledger.deviceRemovals.some(({ gone }) => gone === machine)
      return counted ? [machine] : []
    })
  }

  #acquaint(heard: Heard, accountId: string): void {
    if (!heard.acquainted.has(accountId)) heard.acquainted.set(accountId, this.#ears.nowMs())
  }

  #of(machine: Watched): Heard {
    const known = this.#heard.get(machine.name)
    if (known !== undefined) return known
    const fresh = {
      ids: new Set<string>(),
      markers: new Map<string, number>(),
      rolledBack: new Map<string, number>(),
      announced: new Map<string, number>(),
      revoked: new Set<string>(),
      own: new Map<string, number>(),
      acquainted: new Map<string, number>(),
    }
    this.#heard.set(machine.name, fresh)
    return fresh
  }
}

import type { MemberView, MessageView } from '@sotto/core'
import type { Watched } from './watched.ts'
import type { Law, Violation } from './laws.ts'
import { Room } from './rooms.ts'

/** One text somebody meant to send, as a message or in place of one. */
export interface Said {
  readonly marker: string
  readonly text: string
  readonly kind: 'message' | 'edit'
  /** Person and machine. */
  readonly author: string
  readonly machine: string
  readonly conversationId: string
  readonly atMs: number
  /** By a thief. */
  readonly stolen: boolean
  /** Of the message it is, or changes; unknown until somebody said it. */
  messageId: string | undefined
  /** The device said yes: from here on it may not be lost. */
  accepted: boolean
  /** Devices its own device held to be in the conversation, in the step that took it. */
  readers: ReadonlySet<string> | undefined
  /** Devices that one was told are out, and those it had once held to be in and no longer does. */
  out: ReadonlySet<string>
  shownAtMs: number | undefined
  /** Its device may have to say it again under another id, for there are two of its home. */
  readonly mayMove: boolean
  /** By a machine that goes on from an older copy of itself. */
  readonly setBack: boolean
  /** By a device that says other things than it was told to. */
  readonly lied: boolean
  /** Relayed was claimed at least once. */
  relayed: boolean
}

/** A removal of a device, from the try on. */
export interface DeviceRemoval {
  readonly by: string
  readonly gone: Watched
  readonly atMs: number
  acceptedAtMs: number | undefined
  /** Its author was put out by a sibling that did not know of it. */
  undone: boolean
}

interface Owner {
  readonly person: string
  readonly machine: Watched
  readonly granted: 'all' | 'none'
  /** The machine that let it in; none let in the first of an account. */
  readonly by?: string
}

/** What a ledger asks. */
export interface Witness {
  readonly nowMs: () => number
  /** Devices a machine was told are out. */
  readonly revokedFor: (machine: Watched) => ReadonlySet<string>
}

/** The plain list of who did what, which every device's view is compared with. */
export class Ledger {
  readonly said = new Map<string, Said>()
  readonly rooms = new Map<string, Room>()
  readonly violations: Violation[] = []
  readonly deviceRemovals: DeviceRemoval[] = []
  readonly #people = new Map<string, string>()
  readonly #devices = new Map<string, Owner>()
  readonly #byId = new Map<string, Said>()
  readonly #fallen = new Set<string>()
  /** Devices each device has held to be in a conversation. */
  readonly #listed = new Map<string, Set<string>>()
  readonly #witness: Witness
  readonly #markerChars: number

  constructor(witness: Witness, markerChars: number) {
    this.#witness = witness
    this.#markerChars = markerChars
  }

  violate(law: Law, what: string): void {
    this.violations.push({ law, atMs: this.#witness.nowMs(), what })
  }

  /** Which account and device are whose. */
  introduce(machine: Watched): void {
    this.#people.set(machine.accountId, machine.person)
    if (this.#devices.has(machine.deviceId)) return
    this.#devices.set(machine.deviceId, { person: machine.person, machine, granted: 'none' })
  }

  /** A machine was linked to its person's account. */
  linked(machine: Watched, granted: 'all' | 'none', by: string): void {
    this.#devices.set(machine.deviceId, { person: machine.person, machine, granted, by })
  }

  /**
   * A device's account says that it is out. If nobody put it out, it fell with the one that had let it in, of which it
   * was not known to whoever put that one out.
   */
  heldOut(machine: Watched): void {
    const by = this.#devices.get(machine.deviceId)?.by
    if (by !== undefined && this.isOut(by)) this.#fallen.add(machine.name)
  }

  /** Whether a machine was put out, or fell with one that was. */
  isOut = (name: string): boolean =>
    this.#fallen.has(name) || this.deviceRemovals.some(({ gone }) => gone.name === name)

  personOf = (accountId: string): string | undefined => this.#people.get(accountId)
  ownerOf = (deviceId: string): Owner | undefined => this.#devices.get(deviceId)
  original = (messageId: string): Said | undefined => this.#byId.get(messageId)

  /** Texts somebody tried to put in place of a message's. */
  editsOf = (messageId: string): readonly Said[] =>
    [...this.said.values()].filter((said) => said.kind === 'edit' && said.messageId === messageId)

  removing(by: Watched, gone: Watched): DeviceRemoval {
    const removal = { by: by.name, gone, atMs: this.#witness.nowMs(), acceptedAtMs: undefined, undone: false }
    this.deviceRemovals.push(removal)
    return removal
  }

  /**
   * A removal was accepted. What the removed device put out itself, unknown to who removed it, comes undone: nobody can
   * tell such a word from one its thief makes up later (docs/protocol/identity.md §5).
   */
  removed(removal: DeviceRemoval, by: Watched): void {
    removal.acceptedAtMs = this.#witness.nowMs()
    const known = this.#witness.revokedFor(by)
    for (const one of this.deviceRemovals) {
      if (one.by !== removal.gone.name || known.has(one.gone.deviceId)) continue
      one.acceptedAtMs = undefined
      one.undone = true
    }
  }

  open(conversationId: string, group: boolean, parties: Iterable<string>): Room {
    const room = new Room(conversationId, group, parties)
    this.rooms.set(conversationId, room)
    return room
  }

  /** A person is about to say something, or something else instead. */
  intend(
    machine: Watched,
    text: string,
    conversationId: string,
    more: Partial<Pick<Said, 'messageId' | 'stolen'>> = {},
  ): Said {
    const said: Said = {
      marker: text.slice(0, this.#markerChars),
      text,
      kind: more.messageId === undefined ? 'message' : 'edit',
      author: machine.person,
      machine: machine.home,
      conversationId,
      atMs: this.#witness.nowMs(),
      stolen: more.stolen === true,
      messageId: more.messageId,
      accepted: false,
      readers: undefined,
      out: new Set(this.#witness.revokedFor(machine)),
      shownAtMs: undefined,
      mayMove: machine.doubled || machine.setBack !== undefined,
      setBack: machine.setBack !== undefined,
      lied: machine.lies,
      relayed: false,
    }
    this.said.set(said.marker, said)
    return said
  }

  /** Its device took it, and held these to be in. */
  accept(said: Said, messageId: string, members: readonly MemberView[] | undefined): void {
    said.accepted = true
    if (said.kind === 'message') this.#bind(said, messageId)
    if (members !== undefined) this.#list(said, members)
  }

  /** Messages promised so far. */
  accepted(): readonly Said[] {
    return [...this.said.values()].filter((one) => one.accepted && one.kind === 'message' && !one.stolen)
  }

  /** A message as somebody sees it: the one it is, or nothing and a broken law. */
  judge(machine: Watched, message: MessageView): Said | undefined {
    const original =
      message.text === null ? this.#byId.get(message.messageId) : this.#judgeText(machine, message)
    if (original === undefined) return undefined
    const room = this.rooms.get(message.conversationId)
    const author = this.#people.get(message.author.accountId)
    const device = this.#devices.get(message.author.deviceId)
    const genuine =
      original.author === author &&
      device?.machine.name === original.machine &&
      original.conversationId === message.conversationId &&
      room?.parties.has(machine.person) === true
    if (!genuine) {
      this.violate('authenticity', `${machine.name} is shown ${original.marker} as nobody sent it`)
      return undefined
    }
    this.#judgeRemoved(machine, original, room)
    this.#judgeReactions(machine, message, room)
    return original
  }

  #judgeText(machine: Watched, message: MessageView): Said | undefined {
    const said = this.said.get((message.text ?? '').slice(0, this.#markerChars))
    if (said === undefined || said.text !== message.text) {
      this.violate('authenticity', `${machine.name} is shown a text nobody wrote`)
      return undefined
    }
    if (said.kind === 'edit') {
      const original = this.#byId.get(message.messageId)
      if (said.messageId === message.messageId && message.edited && original?.author === said.author)
        return original
      this.violate('authenticity', `${machine.name} is shown ${said.marker} in place of something else`)
      return undefined
    }
    if (said.messageId !== undefined && said.messageId !== message.messageId && !said.mayMove)
      this.violate('no-duplicate', `${machine.name} is shown ${said.marker} under a second id`)
    this.#bind(said, message.messageId)
    return said
  }

  /** Whether a text is nothing for a device: whoever wrote it knew the device to be out, and it is not in again. */
  isClosed(said: Said, machine: Watched, room: Room): boolean {
    if (!said.out.has(machine.deviceId)) return false
    const { person } = machine
    if (!room.wasPutOut(person)) return !this.#isUndone(machine)
    if (this.#heldIn(said, person) && this.#isUndone(machine)) return false
    return !room.cameBack(person) && !room.mayBeUndone(person)
  }

  /** Whether the author held a person to be in when it wrote: a device of theirs that it held to be out was so by itself. */
  #heldIn = ({ readers }: Said, person: string): boolean =>
    [...(readers ?? [])].some((device) => this.ownerOf(device)?.person === person)

  #judgeRemoved(machine: Watched, said: Said, room: Room): void {
    if (this.isClosed(said, machine, room))
      this.violate('removed-blind', `${machine.name} reads ${said.marker}, whose author knew it was out`)
  }

  /** Whether a device was removed and every removal of it came undone. */
  #isUndone(machine: Watched): boolean {
    const removals = this.deviceRemovals.filter(({ gone }) => gone === machine)
    return removals.length > 0 && removals.every(({ undone }) => undone)
  }

  #judgeReactions(machine: Watched, { messageId, reactions }: MessageView, room: Room): void {
    for (const { emoji, by } of reactions)
      for (const account of by) {
        const person = this.#people.get(account) ?? ''
        if (room.reactions.get(messageId)?.get(person)?.tried.has(emoji) !== true)
          this.violate('authenticity', `${machine.name} is shown a reaction nobody gave`)
      }
  }

  #bind(said: Said, messageId: string): void {
    said.messageId ??= messageId
    this.#byId.set(messageId, said)
  }

  #list(said: Said, members: readonly MemberView[]): void {
    const readers = new Set(members.flatMap(({ devices }) => devices.map(({ deviceId }) => deviceId)))
    // Whoever was set back to an older copy may have forgotten whom it held to be in.
    const key = `${said.machine} ${said.stolen} ${said.setBack} ${said.conversationId}`
    const listed = this.#listed.get(key) ?? new Set<string>()
    this.#listed.set(key, listed)
    said.readers = readers
    for (const device of said.out)
      if (readers.has(device))
        this.violate('removed-blind', `${said.machine} seals to a device it knows to be out`)
    said.out = new Set([...said.out, ...[...listed].filter((device) => !readers.has(device))])
    for (const device of readers) listed.add(device)
  }
}

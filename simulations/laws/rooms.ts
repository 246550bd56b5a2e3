import { UsageError } from '@sotto/core'

/** One person's try to change another's part in a group, or to leave. */
export interface Move {
  readonly by: string
  readonly target: string
  readonly atMs: number
  /** The machine it was done on, of whoever left. */
  readonly machine?: string
  /** When a device took it. */
  acceptedAtMs?: number
}

/** A try to let somebody in, and whether a device took it. */
export interface Addition extends Move {
  taken: boolean
}

/** What was tried in one conversation by whom, whether or not it came to count. */
export class Room {
  readonly conversationId: string
  readonly group: boolean
  /** Everybody who was ever to be in it. */
  readonly parties: Set<string>
  readonly titles = new Set<string>()
  /** The machine a group was opened on. */
  openedOn = ''
  readonly additions: Addition[] = []
  readonly removals: Move[] = []
  readonly promotions: Move[] = []
  readonly demotions: Move[] = []
  /** Messages somebody tried to take back, and those whose device said yes. */
  readonly deletes = new Map<string, { accepted: boolean }>()
  /** Reactions tried, by message, then person. */
  readonly reactions = new Map<string, Map<string, { readonly tried: Set<string>; accepted: number }>>()

  constructor(conversationId: string, group: boolean, parties: Iterable<string>) {
    this.conversationId = conversationId
    this.group = group
    this.parties = new Set(parties)
  }

  adding(by: string, target: string, atMs: number): Addition {
    const addition = { by, target, atMs, taken: false }
    this.parties.add(target)
    this.additions.push(addition)
    return addition
  }

  /** A removal counts as tried unless the device refused it: then it is as if nobody had asked. */
  async puttingOut(
    move: Move,
    work: Promise<unknown> | undefined,
    clock: { readonly nowMs: number },
  ): Promise<void> {
    this.removals.push(move)
    try {
      await work
      move.acceptedAtMs = clock.nowMs
    } catch (error) {
      if (error instanceof UsageError) this.removals.splice(this.removals.indexOf(move), 1)
      throw error
    }
  }

  reacting(
    messageId: string,
    person: string,
    emoji: string,
  ): { readonly tried: Set<string>; accepted: number } {
    const ofMessage =
      this.reactions.get(messageId) ?? new Map<string, { tried: Set<string>; accepted: number }>()
    this.reactions.set(messageId, ofMessage)
    const known = ofMessage.get(person) ?? { tried: new Set<string>(), accepted: 0 }
    ofMessage.set(person, known)
    known.tried.add(emoji)
    return known
  }

  /** Whether somebody tried to put this person out, or they left. */
  wasPutOut = (person: string): boolean => this.removals.some(({ target }) => target === person)

  /**
   * Whether others put a person out, for good and all of them, before this moment; by leaving, nobody takes a word back.
   * Whoever was ever put out or left themselves may have put out nobody, whatever came first elsewhere.
   */
  isOutSince(person: string, atMs: number): boolean {
    const ends = this.removals.filter(({ by, target }) => target === person && by !== person)
    const isOver = ends.some(({ acceptedAtMs = Infinity }) => acceptedAtMs < atMs)
    const isLast = ends.every((one) => one.atMs < atMs && !this.wasPutOut(one.by)) && !this.cameBack(person)
    return isOver && isLast && !this.mayBeUndone(person)
  }

  /** When the person was first let in, or meant to be. */
  firstIn = (person: string): number | undefined =>
    this.additions.find(({ target }) => target === person)?.atMs

  /** Whether somebody let the person in again after they were put out. */
  cameBack(person: string): boolean {
    const first = this.removals.find(({ target }) => target === person)
    return (
      first !== undefined && this.additions.some(({ target, atMs }) => target === person && atMs > first.atMs)
    )
  }

  /**
   * Whether a removal of this person may have come to nothing: who removed them, or who gave the remover a role, was
   * removed or demoted by somebody else.
   */
  mayBeUndone(person: string): boolean {
    const struck = [...this.removals, ...this.demotions].filter(({ by, target }) => by !== target)
    const removers = this.removals.filter(({ by, target }) => target === person && by !== person)
    const above = new Set(removers.map(({ by }) => by))
    for (const one of above)
      for (const { by, target } of [...this.additions, ...this.promotions]) if (target === one) above.add(by)
    return struck.some(({ target }) => above.has(target))
  }
}

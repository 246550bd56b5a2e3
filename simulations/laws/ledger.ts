import type { DeviceEvent, MessageView } from '@sotto/core'

/** One text somebody meant to send. */
export interface Sent {
  readonly marker: string
  readonly text: string
  readonly author: string
  readonly to: string
  readonly conversationId: string
  readonly atMs: number
  /** The device said yes: from here on it may not be lost. */
  messageId: string | undefined
  shownAtMs: number | undefined
  /** Relayed was claimed at least once. */
  relayed: boolean
}

/** A law that did not hold, with what shows it. */
export interface Violation {
  readonly law: Law
  readonly atMs: number
  readonly what: string
}

export const safetyLaws = [
  'no-loss',
  'no-duplicate',
  'authenticity',
  'no-key-reuse',
  'ciphertext-only-outside',
  'ladder-honesty',
  'same-history',
  'bounds',
  'store-opens',
] as const
export const livenessLaws = ['converged'] as const
export type Law = (typeof safetyLaws)[number] | (typeof livenessLaws)[number]

/** What stands between the world and a verdict: asked whether a relay ever held what carries a text. */
export interface Witness {
  readonly nowMs: () => number
  readonly relayHeld: (marker: string) => boolean
}

const markerOf = (text: string, bytes: number): string => text.slice(0, bytes)

/** The plain list of who sent what to whom, which every device's history is compared with. */
export class Ledger {
  readonly sent = new Map<string, Sent>()
  readonly violations: Violation[] = []
  /** Messages a device has told its face about, by person and message id. */
  readonly #shown = new Map<string, Set<string>>()
  /** Markers shown to a person: a text is shown once, whatever its id. */
  readonly #shownMarkers = new Map<string, Set<string>>()
  readonly #names = new Map<string, string>()
  readonly #byId = new Map<string, Sent>()
  readonly #witness: Witness
  readonly #markerBytes: number

  constructor(witness: Witness, markerBytes: number) {
    this.#witness = witness
    this.#markerBytes = markerBytes
  }

  violate(law: Law, what: string): void {
    this.violations.push({ law, atMs: this.#witness.nowMs(), what })
  }

  /** Which account is whose. */
  introduce(person: string, accountId: string): void {
    this.#names.set(accountId, person)
  }

  /** A person is about to say something. */
  intend(text: string, author: string, to: string, conversationId: string): Sent {
    const sent: Sent = {
      marker: markerOf(text, this.#markerBytes),
      text,
      author,
      to,
      conversationId,
      atMs: this.#witness.nowMs(),
      messageId: undefined,
      shownAtMs: undefined,
      relayed: false,
    }
    this.sent.set(sent.marker, sent)
    return sent
  }

  accept(sent: Sent, messageId: string): void {
    sent.messageId = messageId
    this.#byId.set(messageId, sent)
  }

  /** Messages promised so far. */
  accepted(): readonly Sent[] {
    return [...this.sent.values()].filter((one) => one.messageId !== undefined)
  }

  /** An event of a person's device, heard or read back after a restart; each is given once. */
  hear(person: string, event: DeviceEvent): void {
    if (event.type === 'message') this.#hearMessage(person, event.message)
    if (event.type === 'state') this.#hearState(event.messageId, event.state)
  }

  /** A message as it stands in a history: what is shown must have been sent by the one it names. */
  checkAuthor(person: string, message: MessageView): Sent | undefined {
    const sent = this.sent.get(markerOf(message.text ?? '', this.#markerBytes))
    const author = this.#names.get(message.author.accountId)
    const genuine =
      sent !== undefined &&
      sent.text === message.text &&
      sent.author === author &&
      sent.conversationId === message.conversationId &&
      (sent.to === person || sent.author === person)
    if (!genuine) this.violate('authenticity', `${person} is shown a message nobody sent so`)
    return genuine ? sent : undefined
  }

  #hearMessage(person: string, message: MessageView): void {
    const sent = this.checkAuthor(person, message)
    if (sent === undefined || message.author.me) return
    const shown = bucket(this.#shown, person)
    const markers = bucket(this.#shownMarkers, person)
    if (shown.has(message.messageId) || markers.has(sent.marker))
      this.violate('no-duplicate', `${person} is told of ${sent.marker} twice`)
    shown.add(message.messageId)
    markers.add(sent.marker)
    sent.shownAtMs ??= this.#witness.nowMs()
  }

  #hearState(messageId: string, state: string): void {
    const sent = this.#byId.get(messageId)
    if (sent === undefined) return
    const held = this.#shownMarkers.get(sent.to)?.has(sent.marker) ?? false
    if ((state === 'delivered' || state === 'read') && !held)
      this.violate('ladder-honesty', `${sent.marker} is called ${state} and was not there`)
    if (state !== 'relayed') return
    sent.relayed = true
    if (!this.#witness.relayHeld(sent.marker))
      this.violate('ladder-honesty', `${sent.marker} is called relayed and no relay held it`)
  }
}

function bucket(map: Map<string, Set<string>>, key: string): Set<string> {
  const known = map.get(key)
  if (known !== undefined) return known
  const fresh = new Set<string>()
  map.set(key, fresh)
  return fresh
}

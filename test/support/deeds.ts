import type { DeviceFace, MessageView } from '@sotto/core'

/** Somebody whose words are kept account of. */
export interface Doer {
  readonly name: string
  /** The device as it is now: it may be another after a restart. */
  readonly face: () => DeviceFace
}

/** What a value may be in the end: what was acknowledged last, or any later try that was not. */
class May<T> {
  readonly #values = new Set<T>()

  tried(value: T): void {
    this.#values.add(value)
  }

  acknowledged(value: T): void {
    this.#values.clear()
    this.#values.add(value)
  }

  allows(value: T): boolean {
    return this.#values.has(value)
  }

  toString(): string {
    return [...this.#values].map(String).join(' or ')
  }
}

interface Said {
  readonly by: string
  readonly messageId: string
  readonly text: May<string | null>
  /** Reactions by who reacted; an empty text is none. */
  readonly reactions: Map<string, May<string>>
  gone: boolean
}

/**
 * An account of what a group was told, through commands that were acknowledged and others that were not, to hold
 * against what its members read in the end.
 */
export class Deeds {
  readonly conversationId: string
  readonly #said: Said[] = []
  readonly #triedTexts = new Set<string>()
  readonly title = new May<string>()
  readonly #inside = new Map<string, May<boolean>>()
  acknowledged = 0
  failed = 0
  #count = 0

  constructor(conversationId: string, title: string) {
    this.conversationId = conversationId
    this.title.acknowledged(title)
  }

  /** Carries a command out; whether it was acknowledged. */
  async #do(work: () => Promise<unknown>, tried: () => void, acknowledged: () => void): Promise<boolean> {
    tried()
    const done = await work().then(
      () => true,
      () => false,
    )
    if (done) acknowledged()
    if (done) this.acknowledged += 1
    else this.failed += 1
    return done
  }

  /** The newest message of somebody that was not taken back. */
  newest(by: string): string | undefined {
    return this.#said.findLast((said) => said.by === by && !said.gone)?.messageId
  }

  #find(messageId: string): Said | undefined {
    return this.#said.find((said) => said.messageId === messageId)
  }

  async send({ name, face }: Doer): Promise<boolean> {
    this.#count += 1
    const text = `${name} ${this.#count}`
    let messageId = ''
    return this.#do(
      async () => {
        const { conversationId } = this
        messageId = (await face().dispatch('send', { conversationId, text })).messageId
      },
      () => this.#triedTexts.add(text),
      () => {
        const may = new May<string | null>()
        may.acknowledged(text)
        this.#triedTexts.delete(text)
        this.#said.push({ by: name, messageId, text: may, reactions: new Map(), gone: false })
      },
    )
  }

  /** New text for the newest own message. */
  async edit({ name, face }: Doer): Promise<boolean> {
    const messageId = this.newest(name)
    const said = messageId === undefined ? undefined : this.#find(messageId)
    if (said === undefined || messageId === undefined) return false
    this.#count += 1
    const text = `${name} ${this.#count}, edited`
    return this.#do(
      () => face().dispatch('edit', { messageId, text }),
      () => said.text.tried(text),
      () => said.text.acknowledged(text),
    )
  }

  /** Takes the newest own message back. */
  async delete({ name, face }: Doer): Promise<boolean> {
    const messageId = this.newest(name)
    const said = messageId === undefined ? undefined : this.#find(messageId)
    if (said === undefined || messageId === undefined) return false
    said.gone = true
    return this.#do(
      () => face().dispatch('delete', { messageId }),
      () => said.text.tried(null),
      () => said.text.acknowledged(null),
    )
  }

  /** A reaction to the newest message of somebody. */
  async react({ name, face }: Doer, to: string, emoji: string): Promise<boolean> {
    const messageId = this.newest(to)
    const said = messageId === undefined ? undefined : this.#find(messageId)
    if (said === undefined || messageId === undefined) return false
    const may = said.reactions.get(name) ?? new May<string>()
    if (!said.reactions.has(name)) may.acknowledged('')
    said.reactions.set(name, may)
    return this.#do(
      () => face().dispatch('react', { messageId, emoji }),
      () => may.tried(emoji),
      () => may.acknowledged(emoji),
    )
  }

  async rename({ face }: Doer): Promise<boolean> {
    this.#count += 1
    const name = `Walkers ${this.#count}`
    const { conversationId } = this
    return this.#do(
      () => face().dispatch('group-rename', { conversationId, name }),
      () => this.title.tried(name),
      () => this.title.acknowledged(name),
    )
  }

  /** Lets somebody in, or out. */
  async member({ face }: Doer, accountId: string, inside: boolean): Promise<boolean> {
    const may = this.#inside.get(accountId) ?? new May<boolean>()
    if (!this.#inside.has(accountId)) may.acknowledged(false)
    this.#inside.set(accountId, may)
    const { conversationId } = this
    return this.#do(
      () => face().dispatch(inside ? 'group-add' : 'group-remove', { conversationId, accountId }),
      () => may.tried(inside),
      () => may.acknowledged(inside),
    )
  }

  /** What is wrong with what these read, each of whom was in all the time. */
  async judge(readers: readonly Doer[]): Promise<readonly string[]> {
    const wrong: string[] = []
    const exports: string[] = []
    const members: string[] = []
    for (const reader of readers) {
      const face = reader.face()
      const { conversationId } = this
      const { messages, missing } = await wholeHistory(face, conversationId)
      wrong.push(...this.#judgeMessages(reader.name, messages))
      if (missing > 0) wrong.push(`${reader.name} misses ${missing}`)
      const { held } = await face.view('status', {})
      if (held > 0) wrong.push(`${reader.name} holds ${held} back`)
      const mine = (await face.view('conversations', {})).find(
        (conversation) => conversation.conversationId === conversationId,
      )
      if (mine === undefined || !this.title.allows(mine.name))
        wrong.push(`${reader.name} calls it ${String(mine?.name)}, not ${this.title.toString()}`)
      const inside = (await face.view('members', { conversationId })).map(
        ({ accountId, role }) => `${accountId} ${role}`,
      )
      members.push(inside.toSorted().join())
      for (const [account, may] of this.#inside)
        if (!may.allows(inside.some((line) => line.startsWith(account))))
          wrong.push(`${reader.name} sees somebody in or out who is not`)
      exports.push((await face.view('export', { conversationId })).json)
    }
    for (const [what, values] of Object.entries({ exports, members }))
      values.forEach((value, at) => {
        if (value !== values[0]) wrong.push(`${what} of ${readers[at]?.name} and ${readers[0]?.name} differ`)
      })
    return wrong
  }

  #judgeMessages(reader: string, messages: readonly MessageView[]): readonly string[] {
    const wrong: string[] = []
    const byId = new Map(messages.map((message) => [message.messageId, message]))
    if (byId.size !== messages.length) wrong.push(`${reader} has a message twice`)
    const originals = new Set(this.#said.map(({ messageId }) => messageId))
    for (const said of this.#said) {
      const seen = byId.get(said.messageId)
      if (seen === undefined) wrong.push(`${reader} lost ${said.text.toString()}`)
      else if (!said.text.allows(seen.text))
        wrong.push(`${reader} reads ${String(seen.text)}, not ${said.text.toString()}`)
      else if (seen.text !== null)
        wrong.push(
          ...judgeReactions(
            `${reader}, of ${seen.text},`,
            said,
            seen.reactions.map(({ emoji }) => emoji),
          ),
        )
    }
    const texts = new Set<string>()
    for (const { text, messageId } of messages) {
      if (originals.has(messageId)) continue
      if (text === null || !this.#triedTexts.has(text))
        wrong.push(`${reader} reads what nobody said: ${text}`)
      else if (texts.has(text)) wrong.push(`${reader} reads ${text} twice`)
      if (text !== null) texts.add(text)
    }
    return wrong
  }
}

async function wholeHistory(face: DeviceFace, conversationId: string) {
  const messages: MessageView[] = []
  for (;;) {
    const before = messages[0] === undefined ? {} : { before: messages[0].messageId }
    const page = await face.view('history', { conversationId, limit: 500, ...before })
    messages.unshift(...page.messages)
    if (!page.more) return { messages, missing: page.missing }
  }
}

/** Everybody has emoji of their own, so that a reaction tells whose it is. */
function judgeReactions(where: string, { reactions }: Said, seen: readonly string[]): readonly string[] {
  const wrong: string[] = []
  for (const [name, may] of reactions) {
    const theirs = seen.filter((emoji) => may.allows(emoji))
    if (theirs.length > 1 || (theirs.length === 0 && !may.allows('')))
      wrong.push(`${where} sees ${theirs.join()} of ${name}, not ${may.toString()}`)
  }
  const all = [...reactions.values()]
  for (const emoji of seen)
    if (!all.some((may) => may.allows(emoji))) wrong.push(`${where} sees ${emoji} of nobody`)
  return wrong
}

import type { RealNode } from '../support/real-node.ts'
import { pause, Victim } from './victim.ts'

/** A message whose command succeeded. */
export interface Acknowledged {
  readonly messageId: string
  readonly text: string
}

/** Somebody who writes steadily, whatever happens to their daemon. */
export class Actor {
  readonly name: string
  readonly node: RealNode
  readonly victim: Victim
  readonly acknowledged: Acknowledged[] = []
  /** Texts whose command failed: each may have been sent or not. */
  readonly failed: string[] = []
  conversationId = ''
  readonly #gapMs: number
  #count = 0
  #writing = false
  #load: Promise<void> = Promise.resolve()

  constructor(name: string, node: RealNode, gapMs: number) {
    this.name = name
    this.node = node
    this.victim = new Victim(name, node)
    this.#gapMs = gapMs
  }

  /** Starts the load. */
  begin(conversationId: string): void {
    this.conversationId = conversationId
    this.#writing = true
    this.#load = this.#write()
  }

  async endLoad(): Promise<void> {
    this.#writing = false
    await this.#load
  }

  async #write(): Promise<void> {
    while (this.#writing) {
      if (this.node.isUp) await this.#send()
      await pause(this.#gapMs)
    }
  }

  async #send(): Promise<void> {
    const { conversationId } = this
    const text = this.#next()
    try {
      const { messageId } = await this.victim.dispatch('send', { conversationId, text })
      this.acknowledged.push({ messageId, text })
    } catch {
      this.failed.push(text)
    }
  }

  #next(): string {
    this.#count += 1
    return `${this.name} ${this.#count}`
  }

  /** A command line without a daemon: it opens the home itself. */
  async sendAlone(wrong: string[]): Promise<void> {
    const text = this.#next()
    const { code, json, err } = await this.node.cli('send', this.conversationId, text)
    if (code === 0) this.acknowledged.push({ messageId: (json as { messageId: string }).messageId, text })
    else {
      this.failed.push(text)
      wrong.push(`${this.name} could not write without a daemon: ${code} ${JSON.stringify(json)} ${err}`)
    }
  }
}

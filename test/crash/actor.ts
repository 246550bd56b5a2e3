import { InvariantError } from '@sotto/core'
import type { RealNode } from '../support/real-node.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const lockedAttempts = 20
/** An answer that takes longer is not waited for. */
const answerMs = 3_000

/** A message whose command succeeded. */
export interface Acknowledged {
  readonly messageId: string
  readonly text: string
}

/** Somebody who writes steadily, whatever happens to their daemon. */
export class Actor {
  readonly name: string
  readonly node: RealNode
  readonly acknowledged: Acknowledged[] = []
  /** Texts whose command failed: each may have been sent or not. */
  readonly failed: string[] = []
  conversationId = ''
  readonly #gapMs: number
  #count = 0
  #writing = false
  #load: Promise<void> = Promise.resolve()
  #bug: InvariantError | undefined
  /** Runs in the turn in which the next answer comes in. */
  #onAnswer: () => void = () => undefined

  constructor(name: string, node: RealNode, gapMs: number) {
    this.name = name
    this.node = node
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
      const { messageId } = await this.node.face.dispatch('send', { conversationId, text })
      this.#onAnswer()
      this.acknowledged.push({ messageId, text })
    } catch (error) {
      if (error instanceof InvariantError) this.#bug = error
      this.failed.push(text)
    }
  }

  #next(): string {
    this.#count += 1
    return `${this.name} ${this.#count}`
  }

  /** Kills the daemon the moment it has answered: what it answered must be durable by then, or is lost. */
  async killAtAnswer(wrong: string[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, answerMs)
      this.#onAnswer = () => {
        this.node.child?.kill('SIGKILL')
        clearTimeout(late)
        resolve()
      }
    })
    this.#onAnswer = () => undefined
    await this.kill(wrong)
  }

  async kill(wrong: string[]): Promise<void> {
    const ended = await this.node.end('SIGKILL')
    if (ended !== 'SIGKILL') wrong.push(`${this.name} ended on its own: ${ended}`)
    if (this.#bug !== undefined) wrong.push(`${this.name}: ${this.#bug.code} ${this.#bug.message}`)
    this.#bug = undefined
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

  /** Starts the daemon and kills it some time later, if it has not become ready before. */
  async killStarting(afterMs: number): Promise<boolean> {
    const starting = this.node.up().then(
      () => false,
      () => true,
    )
    await pause(afterMs)
    this.node.child?.kill('SIGKILL')
    const early = await starting
    await this.node.end('SIGKILL')
    return early
  }

  /** Comes up again, the way a service manager would try again while the home is locked. */
  async up(wrong: string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.node.up()
        return
      } catch (error) {
        const locked = String(error).includes('E_HOME_LOCKED')
        if (!locked || attempt === lockedAttempts) {
          wrong.push(`${this.name} did not come up again: ${String(error)}`)
          throw error
        }
        await pause(100)
      }
    }
  }
}

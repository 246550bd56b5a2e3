import { InvariantError, type DeviceFace } from '@sotto/core'
import type { RealNode } from '../support/real-node.ts'

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const lockedAttempts = 20
/** An answer that takes longer is not waited for. */
const answerMs = 3_000

/** A daemon that is killed again and again. */
export class Victim {
  readonly name: string
  readonly node: RealNode
  /** What its daemon is started with. */
  readonly args: readonly string[]
  #bug: InvariantError | undefined
  /** Runs in the turn in which the next answer comes in. */
  #onAnswer: () => void = () => undefined

  constructor(name: string, node: RealNode, args: readonly string[] = []) {
    this.name = name
    this.node = node
    this.args = args
  }

  /** Its face; a command's answer is noticed here first. */
  readonly dispatch: DeviceFace['dispatch'] = async (...command) => {
    try {
      const answer = await this.node.face.dispatch(...command)
      this.#onAnswer()
      return answer
    } catch (error) {
      if (error instanceof InvariantError) this.#bug = error
      throw error
    }
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

  /** Starts the daemon and kills it some time later, if it has not become ready before. */
  async killStarting(afterMs: number): Promise<boolean> {
    const starting = this.node.up(...this.args).then(
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
        await this.node.up(...this.args)
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

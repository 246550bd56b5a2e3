import { join } from 'node:path'
import { PortError } from '@sotto/core/ports'
import type { DeliveryState, DeviceEvent, DeviceFace, MessageView } from '@sotto/core'
import { readHistory } from '../cli/message.ts'
import { homePaths } from '../home/paths.ts'
import { findDaemon } from '../local-api/find-daemon.ts'
import type { RemoteNode } from '../local-api/socket-client.ts'
import { programs, startProgram } from './process.ts'
import type { Running } from './process.ts'

/** A step of a demo that did not come in this time has failed. Milliseconds. */
const patienceMs = 60_000

/** Waits for an event that `found` accepts, or finds that `already` holds. */
async function waitFor(
  face: DeviceFace,
  what: string,
  already: () => Promise<boolean>,
  found: (event: DeviceEvent) => boolean,
): Promise<void> {
  const happened = Promise.withResolvers<undefined>()
  const stop = face.subscribe((event) => {
    if (found(event)) happened.resolve(undefined)
  })
  const timer = setTimeout(
    () => happened.reject(new PortError('E_DEMO', `${what} did not happen in ${patienceMs / 1_000} s`)),
    patienceMs,
  )
  try {
    if (await already()) return
    await happened.promise
  } finally {
    clearTimeout(timer)
    stop()
  }
}

/** Somebody with a home and, most of the time, a daemon in a process of its own. */
export class Person {
  readonly name: string
  readonly #home: string
  readonly #env: NodeJS.ProcessEnv
  readonly #relay: string
  #process: Running | undefined
  #node: RemoteNode | undefined

  constructor(name: string, folder: string, relay: string, env: NodeJS.ProcessEnv) {
    this.name = name
    this.#home = join(folder, name.toLowerCase())
    this.#env = env
    this.#relay = relay
  }

  get #face(): DeviceFace {
    if (this.#node === undefined) throw new PortError('E_DEMO', `${this.name} is not up`)
    return this.#node.face
  }

  /** Makes the account and comes up, in one process. */
  async begin(): Promise<void> {
    await this.#run(['start', '--name', this.name, '--local', '--no-input'])
  }

  async up(): Promise<void> {
    await this.#run(['up', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns'])
  }

  async #run(words: readonly string[]): Promise<void> {
    const args = [...words, '--relay', this.#relay, '--home', this.#home, '--json']
    this.#process = await startProgram(programs.sotto, args, this.#env)
    this.#node = await findDaemon(homePaths(this.#home, this.#env).api)
  }

  async down(): Promise<void> {
    await this.#node?.shutdown().catch(() => undefined)
    await this.#process?.end()
    this.#forget()
  }

  /** The machine dies at once. */
  async crash(): Promise<void> {
    await this.#process?.kill()
    this.#forget()
  }

  #forget(): void {
    this.#node?.close()
    this.#node = undefined
    this.#process = undefined
  }

  async invite(): Promise<string> {
    return (await this.#face.dispatch('create-invite', { direct: true })).link
  }

  /** Opens a link; resolves with the conversation. */
  async add(link: string): Promise<string> {
    return (await this.#face.dispatch('add', { link })).conversationId
  }

  /** Resolves once somebody is a contact here. */
  async meets(): Promise<void> {
    const connected = async (): Promise<boolean> =>
      (await this.#face.view('contacts', {})).some(({ state }) => state === 'connected')
    await waitFor(
      this.#face,
      `${this.name} being connected`,
      connected,
      (event) => event.type === 'contact' && event.contact.state === 'connected',
    )
  }

  write(conversationId: string, text: string): Promise<MessageView> {
    return this.#face.dispatch('send', { conversationId, text })
  }

  /** Resolves once messages came this far on the ladder, or further. */
  async reaches(messages: readonly MessageView[], states: readonly DeliveryState[]): Promise<void> {
    const waiting = new Set(messages.map(({ messageId }) => messageId))
    const arrived = async (): Promise<boolean> => {
      const known = await this.history(messages[0]?.conversationId ?? '')
      for (const { messageId, state } of known)
        if (state !== null && states.includes(state)) waiting.delete(messageId)
      return waiting.size === 0
    }
    await waitFor(this.#face, `${this.name}’s messages being ${states[0] ?? ''}`, arrived, (event) => {
      if (event.type === 'state' && states.includes(event.state)) waiting.delete(event.messageId)
      return waiting.size === 0
    })
  }

  /** Resolves once these messages are here. */
  async receives(messages: readonly MessageView[]): Promise<void> {
    const missing = new Set(messages.map(({ messageId }) => messageId))
    const arrived = async (): Promise<boolean> => {
      for (const { messageId } of await this.history(messages[0]?.conversationId ?? ''))
        missing.delete(messageId)
      return missing.size === 0
    }
    await waitFor(this.#face, `${this.name} receiving`, arrived, (event) => {
      if (event.type === 'message') missing.delete(event.message.messageId)
      return missing.size === 0
    })
  }

  async history(conversationId: string): Promise<readonly MessageView[]> {
    return (await readHistory(this.#face, conversationId, Number.MAX_SAFE_INTEGER, undefined)).messages
  }
}

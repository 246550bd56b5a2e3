import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { spawnSotto, tcpAddress, type Spawned } from '../support/real-node.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A relay that keeps its address over restarts. */
export class Relay {
  readonly #args: readonly string[]
  #spawned: Spawned | undefined

  private constructor(folder: string, port: number) {
    const listen = ['--listen', `/ip4/127.0.0.1/tcp/${port}`, '--http', '127.0.0.1:0']
    this.#args = ['run', '--data', `${folder}/relay`, ...listen, '--log', `${folder}/relay.log`]
  }

  static async in(folder: string): Promise<Relay> {
    return new Relay(folder, await freePort())
  }

  async up(): Promise<string> {
    this.#spawned = await spawnSotto('relay', this.#args)
    return tcpAddress(this.#spawned.ready)
  }

  async end(signal: NodeJS.Signals): Promise<number | string | undefined> {
    return this.#spawned?.end(signal)
  }

  /** Is killed and comes up again. */
  async restart(wrong: string[]): Promise<void> {
    const ended = await this.end('SIGKILL')
    if (ended !== 'SIGKILL') wrong.push(`the relay ended on its own: ${ended}`)
    await this.up()
  }
}

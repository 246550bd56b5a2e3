import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { DeliveryState, DeviceEvent, DeviceFace, InviteView, MessageView } from '@sotto/core'
import { readHistory } from '../../packages/node/src/cli/message.ts'
import { homePaths } from '../../packages/node/src/home/paths.ts'
import { findDaemon } from '../../packages/node/src/local-api/find-daemon.ts'
import type { RemoteNode } from '../../packages/node/src/local-api/socket-client.ts'

const bins = {
  sotto: fileURLToPath(new URL('../../packages/node/bin/sotto.mjs', import.meta.url)),
  relay: fileURLToPath(new URL('../../relay/bin/sotto-relay.mjs', import.meta.url)),
}

/** A line of a program's output, read as JSON. */
export type Line = Record<string, unknown>

/** A Sotto program running as a process of its own. */
export interface Spawned {
  readonly child: ChildProcess
  readonly ready: Line
  readonly pid: number
  /** Sends a signal and resolves with the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string>
}

/** Starts a program; resolves at its first line of output, rejects when that is a failure. */
export function spawnSotto(
  bin: keyof typeof bins,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  onChild: (child: ChildProcess) => void = () => undefined,
): Promise<Spawned> {
  const child = spawn(process.execPath, [bins[bin], ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onChild(child)
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + String(chunk)).slice(-4_000)))
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  return new Promise((resolve, reject) => {
    void ended.then((code) => reject(new Error(`${bin} ${args.join(' ')} ended with ${code}: ${errors}`)))
    createInterface({ input: child.stdout }).once('line', (text) => {
      const ready = JSON.parse(text) as Line
      child.stdout.resume()
      if ('error' in ready) reject(new Error(text))
      else
        resolve({
          child,
          ready,
          pid: child.pid ?? -1,
          end: (signal) => {
            child.kill(signal)
            return ended
          },
        })
    })
  })
}

/** Runs one command line to its end. */
export function runSotto(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string; json: never }> {
  const child = spawn(process.execPath, [bins.sotto, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const last = out.trim().split('\n').at(-1) ?? ''
      const json = /^[[{]/.test(last) ? (JSON.parse(last) as never) : (null as never)
      resolve({ code: code ?? -1, out, err, json })
    })
  })
}

/** The first address on which a program listens for plain TCP on loopback. */
export function tcpAddress(ready: Line): string {
  const listen = ready['listen'] as readonly string[]
  const found = listen.find((address) => /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//.test(address))
  if (found === undefined) throw new Error(`no loopback address in ${listen.join(' ')}`)
  return found
}

/** An invite link without the address hints behind its secret. */
const bareLink = (link: string): string => link.replace(/(#[\w-]{64})[.].*$/, '$1')

/** A home and, between `up` and `down`, its daemon in a process of its own. */
export class RealNode {
  readonly home: string
  /** The daemon's process as soon as there is one, ready or not. */
  child: ChildProcess | undefined
  readonly #env: NodeJS.ProcessEnv
  #spawned: Spawned | undefined
  #node: RemoteNode | undefined

  constructor(home: string, env: NodeJS.ProcessEnv = {}) {
    this.home = home
    this.#env = env
  }

  get face(): DeviceFace {
    if (this.#node === undefined) throw new Error(`nothing runs in ${this.home}`)
    return this.#node.face
  }

  get isUp(): boolean {
    return this.#node !== undefined
  }

  get ready(): Line {
    return this.#spawned?.ready ?? {}
  }

  get pid(): number {
    return this.#spawned?.pid ?? -1
  }

  cli(...args: readonly string[]) {
    return runSotto([...args, '--home', this.home, '--json', '--no-input'], this.#env)
  }

  /** Comes up on loopback, without mDNS. */
  async up(...args: readonly string[]): Promise<void> {
    await this.#start(['up', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', ...args])
  }

  /** Makes the account and comes up, in one process. */
  async begin(name: string, ...args: readonly string[]): Promise<void> {
    await this.#start(['start', '--name', name, '--local', '--listen', '/ip4/127.0.0.1/tcp/0', ...args])
  }

  async #start(args: readonly string[]): Promise<void> {
    this.#spawned = await spawnSotto(
      'sotto',
      [...args, '--home', this.home, '--json', '--no-input'],
      this.#env,
      (child) => (this.child = child),
    )
    this.#node = await findDaemon(homePaths(this.home).api)
  }

  /** Ends the daemon with a signal; resolves with its exit code. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | undefined> {
    this.#node?.close()
    const code = await this.#spawned?.end(signal)
    this.#spawned = undefined
    this.#node = undefined
    return code
  }

  async history(conversationId: string): Promise<readonly MessageView[]> {
    return (await readHistory(this.face, conversationId, Number.MAX_SAFE_INTEGER, undefined)).messages
  }

  /** Resolves once `holds` is true, looked at now and after every event. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const face = this.face
    let news = Promise.withResolvers<undefined>()
    const stop = face.subscribe(() => news.resolve(undefined))
    try {
      while (!(await holds())) {
        await news.promise
        news = Promise.withResolvers<undefined>()
      }
    } finally {
      stop()
    }
  }

  /** Resolves at an event that `found` accepts, among those above `since` or to come. */
  async untilEvent(found: (event: DeviceEvent) => boolean): Promise<void> {
    let seen = 0
    await this.until(async () => {
      const events = await this.face.view('events', { since: seen })
      seen = events.at(-1)?.seq ?? seen
      return events.some(found)
    })
  }

  /** Resolves once these messages of mine came this far. */
  async untilState(
    conversationId: string,
    messageIds: readonly string[],
    states: readonly DeliveryState[],
  ): Promise<void> {
    const wanted = new Set(messageIds)
    await this.until(async () => {
      const here = (await this.history(conversationId)).filter(({ messageId }) => wanted.has(messageId))
      return (
        here.length === wanted.size && here.every(({ state }) => state !== null && states.includes(state))
      )
    })
  }

  /** Makes an invite and resolves with its link, without address hints, once others can look it up there. */
  async inviteHeldBy(place: InviteView['heldBy'][number]): Promise<string> {
    const { link, inviteId } = (await this.cli('invite', 'new')).json as InviteView
    await this.until(async () =>
      (await this.face.view('invites', {})).some(
        (invite) => invite.inviteId === inviteId && invite.heldBy.includes(place),
      ),
    )
    return bareLink(link)
  }

  /**
   * Opens a link that was used up. A copy of its record from before may still be about, and then the refusal
   * comes from the inviter, after the command; resolves with the code either way.
   */
  async addUsed(link: string): Promise<string | undefined> {
    const { code, json } = await this.cli('add', link)
    if (code !== 0) return (json as { error: { code: string } }).error.code
    let refusal: string | undefined
    await this.untilEvent((event) => {
      if (event.type === 'contact' && event.change === 'refused') refusal = event.code
      return refusal !== undefined
    })
    return refusal
  }
}

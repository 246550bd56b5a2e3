import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PortError, UsageError, type DeviceFace } from '@sotto/core'
import { healedWithinMs } from '../../simulations/scenarios/run.ts'
import type { Place } from './place.ts'
import { relayName } from './script.ts'
import type { Tally } from './tally.ts'

/** What a host is asked. */
export interface Ask {
  readonly id: number
  readonly call: 'open' | 'close' | 'dispatch' | 'view' | 'end'
  readonly device: string
  readonly args: readonly unknown[]
}

/** What it answers; number 0 is where its relay is, once it runs. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number
      readonly error: { readonly message: string; readonly code: string; readonly retryable: boolean }
    }

interface Waiter {
  readonly settle: (value: unknown) => void
  readonly fail: (error: Error) => void
}

interface Host {
  readonly child: ChildProcess
  readonly port: string
  readonly waiting: Map<number, Waiter>
}

const entry = fileURLToPath(new URL('namespace-host.ts', import.meta.url))

/**
 * Each host in a process and a network namespace of its own, joined by a bridge: real TCP over links that are narrow, and
 * slow where the kernel has netem. A split moves some to another bridge: nothing says that a connection is gone. Wants to
 * be root.
 */
export async function namespacePlace(tally: Tally): Promise<Place> {
  if (process.getuid?.() !== 0) throw new Error('network namespaces are for root alone')
  const place = new NamespacePlace(tally)
  try {
    await place.begin()
    return place
  } catch (error) {
    await place.end()
    throw error
  }
}

const run = (command: string, ...args: string[]): void => {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

class NamespacePlace implements Place {
  readonly #tally: Tally
  readonly #name = `sotto${process.pid}`
  readonly #hub = `${this.#name}-hub`
  readonly #hosts = new Map<string, Host>()
  readonly #names: string[] = []
  #asked = 0
  relayAddress = ''

  constructor(tally: Tally) {
    this.#tally = tally
  }

  async begin(): Promise<void> {
    run('ip', 'netns', 'add', this.#hub)
    this.#names.push(this.#hub)
    for (const bridge of ['whole', 'side']) {
      run('ip', '-n', this.#hub, 'link', 'add', bridge, 'type', 'bridge')
      run('ip', '-n', this.#hub, 'link', 'set', bridge, 'up')
    }
    this.relayAddress = String(await this.#host(relayName, 'relay'))
  }

  async open(device: string, name?: string): Promise<DeviceFace> {
    if (!this.#hosts.has(device)) await this.#host(device, 'devices')
    await this.#ask(device, 'open', [name])
    return {
      dispatch: (...args) => this.#ask(device, 'dispatch', args) as never,
      view: (...args) => this.#ask(device, 'view', args) as never,
      subscribe: () => () => undefined,
    }
  }

  async close(device: string): Promise<void> {
    await this.#ask(device, 'close', [])
  }

  split(side: readonly string[]): void {
    for (const [name, { port }] of this.#hosts) this.#join(port, side.includes(name) ? 'side' : 'whole')
  }

  heal(): void {
    this.split([])
  }

  run = <T>(work: Promise<T>): Promise<T> => work

  async until(left: () => Promise<string | undefined>): Promise<void> {
    const endMs = performance.now() + healedWithinMs
    for (let still = await left(); still !== undefined; still = await left()) {
      if (performance.now() > endMs) throw new Error(`nothing comes of it: ${still}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  async end(): Promise<void> {
    for (const [name, { child }] of this.#hosts) {
      const counts = (await this.#ask(name, 'end', []).catch(() => ({}))) as Record<string, number>
      this.#tally.add(counts)
      child.disconnect()
    }
    for (const name of this.#names) run('ip', 'netns', 'del', name)
  }

  /** A namespace with a link to the hub, and a process in it; what that says first. */
  async #host(name: string, kind: 'relay' | 'devices'): Promise<unknown> {
    const number = this.#names.length
    const [space, port] = [`${this.#name}-${number}`, `p${number}`]
    const address = `10.201.77.${number}`
    run('ip', 'netns', 'add', space)
    this.#names.push(space)
    run('ip', '-n', this.#hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    run('ip', '-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    for (const link of ['lo', 'eth0']) run('ip', '-n', space, 'link', 'set', link, 'up')
    this.#join(port, 'whole')
    run('ip', '-n', this.#hub, 'link', 'set', port, 'up')
    this.#narrow(port)
    const options = ['--import', 'tsx', '--conditions=sotto-source']
    const polyfill = fileURLToPath(
      new URL('../../packages/core/bindings/host-node/polyfill.mjs', import.meta.url),
    )
    const node = [process.execPath, '--import', polyfill, ...options, entry, address, kind]
    const child = spawn('ip', ['netns', 'exec', space, ...node], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    const waiting = new Map<number, Waiter>()
    this.#hosts.set(name, { child, port, waiting })
    child.on('message', (reply: Reply) => {
      const waiter = waiting.get(reply.id)
      waiting.delete(reply.id)
      if ('value' in reply) waiter?.settle(reply.value)
      else waiter?.fail(errorOf(reply.error))
    })
    child.on('exit', () => {
      for (const { fail } of waiting.values()) fail(new Error(`${name} is gone`))
    })
    return new Promise((settle, fail) => waiting.set(0, { settle, fail }))
  }

  #join(port: string, bridge: string): void {
    run('ip', '-n', this.#hub, 'link', 'set', port, 'master', bridge)
  }

  /** Delay and loss where the kernel has them, else little bandwidth. */
  #narrow(port: string): void {
    const add = ['-n', this.#hub, 'qdisc', 'add', 'dev', port, 'root']
    let kind = 'narrow, slow and lossy'
    try {
      run('tc', ...add, 'netem', 'delay', '40ms', '10ms', 'loss', '0.5%', 'rate', '4mbit')
    } catch {
      kind = 'narrow'
      run('tc', ...add, 'tbf', 'rate', '4mbit', 'burst', '32kb', 'latency', '400ms')
    }
    this.#tally.add({ [`link: ${kind}`]: 1 })
  }

  #ask(name: string, call: Ask['call'], args: readonly unknown[]): Promise<unknown> {
    const host = this.#hosts.get(name)
    if (host === undefined) return Promise.reject(new Error(`${name} is no host`))
    const id = ++this.#asked
    return new Promise((settle, fail) => {
      host.waiting.set(id, { settle, fail })
      host.child.send({ id, call, device: name, args } satisfies Ask)
    })
  }
}

function errorOf({ message, code, retryable }: Extract<Reply, { error: unknown }>['error']): Error {
  if (code === '') return new Error(message)
  const options = { retryable }
  return retryable ? new PortError(code, message, options) : new UsageError(code, message, options)
}

import type { DeviceFace } from '@sotto/core'
import { exposeNetwork, remoteFace, socketPort } from '@sotto/core/message-port'
import { atom, type ReadableAtom } from 'nanostores'
import { faceChannel, turnChannel, type FromWorker, type ToWorker } from './tab/control.ts'
import { isMarked, mark, unmark } from './tab/mark.ts'
import { askHost, askRelay, onLoopback } from './tab/origin.ts'
import { scriptUrl } from './trusted-types.ts'
import workerUrl from './worker.ts?worker&url'

/**
 * Where this tab stands.
 *
 * ```
 *   starting ──▶ ready(own)        the device runs in this tab
 *            ├─▶ ready(follower)   it runs in another tab; takes over when that one goes
 *            ├─▶ ready(node)       it runs in the node that serves the page
 *            ╰─▶ failed(code)      E_STORE_EVICTED, E_STORE_REFUSED, E_UNSUPPORTED, E_PORT_LOST, …
 * ```
 */
export type TabState =
  | { readonly phase: 'starting' }
  | {
      readonly phase: 'ready'
      readonly role: 'own' | 'follower' | 'node'
      readonly face: DeviceFace
      /** Grows whenever what was seen through the face may be stale. */
      readonly turn: number
    }
  | { readonly phase: 'failed'; readonly code: string }

/** One browser tab as a peer. */
export interface Tab {
  readonly state: ReadableAtom<TabState>
  /** Address of the relay that serves the page; undefined when none does. */
  relay(): Promise<string | undefined>
  /** Asks the tab that holds the device to make way for this one. */
  useHere(): void
  /** Remembers, outside the database, that this origin has a device. */
  remember(): void
  /** Deletes what is left of a lost device and begins anew. */
  startOver(): Promise<void>
}

/** Finds out where the device runs and gets its face. */
export function createTab(): Tab {
  return new BrowserTab()
}

class BrowserTab implements Tab {
  readonly state = atom<TabState>({ phase: 'starting' })
  #relay: Promise<string | undefined> | undefined
  #turn = 0
  #following = false
  #follower: { close(): void } | undefined
  readonly #turns = new BroadcastChannel(turnChannel)
  #own: DeviceFace | undefined
  #worker: Worker | undefined

  constructor() {
    void this.#open()
  }

  relay(): Promise<string | undefined> {
    this.#relay ??= askRelay()
    return this.#relay
  }

  useHere(): void {
    this.#turns.postMessage('make way')
  }

  remember(): void {
    mark()
    // The answer is shown in the connection panel, which asks for itself.
    void navigator.storage.persist().catch(() => false)
  }

  async startOver(): Promise<void> {
    const { forgetDevice } = await import('./tab/forget-device.ts')
    await forgetDevice()
    unmark()
    location.replace('/')
  }

  async #open(): Promise<void> {
    const host = await askHost()
    if (host === 'node') this.#openSocket()
    else if (missingFeature()) this.#fail('E_UNSUPPORTED')
    else this.#openWorker()
  }

  #openSocket(): void {
    const url = new URL('/face', location.href)
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    const failed = (): void => this.#fail('E_PORT_LOST')
    socket.addEventListener('close', failed)
    socket.addEventListener('open', () => {
      const face = remoteFace<DeviceFace>(socketPort(socket))
      this.#ready('node', face)
    })
  }

  #openWorker(): void {
    const worker = new Worker(scriptUrl(workerUrl), { type: 'module', name: 'sotto' })
    this.#worker = worker
    worker.addEventListener('message', (event: MessageEvent<FromWorker>) => this.#hear(event))
    worker.addEventListener('error', () => this.#fail('E_INTERNAL'))
    this.#own = remoteFace<DeviceFace>(worker)
    this.#turns.addEventListener('message', ({ data }) => this.#heardTurn(data))
    this.#tell({ control: 'start', marked: isMarked(), loopback: onLoopback() })
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  #hear({ data, ports }: MessageEvent<FromWorker>): void {
    if (data.control === 'connect') void this.#connect(data.seed, ports[0])
    if (data.control !== 'state') return
    switch (data.state) {
      case 'starting':
        return
      case 'leading':
        this.#following = false
        this.#follower?.close()
        this.#follower = undefined
        if (this.#own !== undefined) this.#ready('own', this.#own)
        return
      case 'following':
        this.#following = true
        this.#follow()
        return
      case 'failed':
        this.#fail(data.code ?? 'E_INTERNAL')
    }
  }

  /** Looks through the leader once it says that it is there: nothing waits on a BroadcastChannel. */
  #follow(): void {
    this.state.set({ phase: 'starting' })
    this.#turns.postMessage('who leads')
  }

  #heardTurn(message: unknown): void {
    const state = this.state.get()
    if (message === 'make way' && state.phase === 'ready' && state.role === 'own')
      this.#tell({ control: 'yield' })
    if (message === 'leading' && this.#following && this.#follower === undefined) this.#lookThrough()
  }

  #lookThrough(): void {
    const channel = new BroadcastChannel(faceChannel)
    const face = remoteFace<DeviceFace>(channel, {
      ...followBeats,
      watch: (state) => {
        if (state === 'back' && this.#follower !== undefined) this.#ready('follower', face)
      },
    })
    const close = (): void => {
      face.close()
      channel.close()
    }
    this.#follower = { close }
    this.#ready('follower', face)
  }

  async #connect(seed: Uint8Array, port: MessagePort | undefined): Promise<void> {
    if (port === undefined) return
    try {
      const { openNetwork } = await import('./tab/open-network.ts')
      exposeNetwork(port, await openNetwork(seed, onLoopback()))
      this.#tell({ control: 'connected' })
    } catch {
      this.#tell({ control: 'connect-failed' })
    }
  }

  #ready(role: 'own' | 'follower' | 'node', face: DeviceFace): void {
    this.#turn += 1
    this.state.set({ phase: 'ready', role, face, turn: this.#turn })
  }

  #fail(code: string): void {
    this.state.set({ phase: 'failed', code })
  }
}

/** A follower notices within this many milliseconds that the tab it looks through has gone. */
const followBeats = { beatMs: 400, lostMs: 1_200 }

/** A tab without these cannot hold a device. */
function missingFeature(): boolean {
  const here = globalThis as Readonly<Record<string, unknown>>
  return (
    !('locks' in navigator) ||
    ['indexedDB', 'BroadcastChannel', 'WebAssembly', 'Worker'].some((name) => here[name] === undefined) ||
    (crypto as { readonly subtle?: unknown }).subtle === undefined
  )
}

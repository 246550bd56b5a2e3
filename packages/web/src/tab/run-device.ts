import { createDevice, initCrdt, PortError, type Crdt, type Device } from '@sotto/core'
import automergeFile from '@automerge/automerge/automerge.wasm?url'
import type { Secret } from '@sotto/core/crypto'
import { createWasmProvider } from '@sotto/core/crypto-wasm'
import { openIdbStore } from '@sotto/core/idb'
import { exposeFace, remoteNetwork } from '@sotto/core/message-port'
import type { Clock, Network, Random } from '@sotto/core/ports'
import { faceChannel, storeName, turnChannel, type FromWorker, type ToWorker } from './control.ts'
import { homeKey } from './home-key.ts'

/** A device at work in this Worker. */
export interface Running {
  stop(): Promise<void>
}

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const random: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) }
const silent = { event: () => undefined }
const quiet = { messageArrived: () => undefined }

/**
 * Opens this origin's device and offers its face to the own page and to every other tab. Throws a PortError
 * `E_STORE_EVICTED` when there was a device here and the browser deleted it.
 */
export async function runDevice(options: { readonly marked: boolean }): Promise<Running> {
  const provider = await createWasmProvider()
  const key = await homeKey(storeName, options.marked, random)
  const store = await openIdbStore(storeName)
  let timer: ReturnType<typeof setTimeout> | undefined
  const device = await createDevice({
    crypto: provider,
    clock,
    random,
    store,
    key,
    log: silent,
    notifier: quiet,
    documents: loadDocuments,
    connect: connectPage,
    wake: (delayMs) => {
      clearTimeout(timer)
      timer = setTimeout(() => device.tick(), Math.min(delayMs, 2 ** 31 - 1))
    },
  })
  const channel = new BroadcastChannel(faceChannel)
  const withdraw = [exposeFace(globalThis, device), exposeFace(channel, device)]
  const turns = new BroadcastChannel(turnChannel)
  turns.addEventListener('message', ({ data }) => {
    if (data === 'who leads') turns.postMessage('leading')
  })
  turns.postMessage('leading')
  // Without a network the device still shows and writes what it has.
  device.start().catch(() => undefined)
  return {
    stop: async () => {
      for (const end of withdraw) end()
      channel.close()
      turns.close()
      clearTimeout(timer)
      await stopDevice(device)
    },
  }
}

/** Fetches the library of shared documents, which is large, only when the first one is read. */
async function loadDocuments(): Promise<Crdt> {
  const answer = await fetch(automergeFile)
  return initCrdt(new Uint8Array(await answer.arrayBuffer()))
}

async function stopDevice(device: Device): Promise<void> {
  await device.stop().catch(() => undefined)
}

/** Asks the page for its libp2p node, which only a page can run, and speaks to it through a port of its own. */
async function connectPage(seed: Secret): Promise<Network> {
  const { port1, port2 } = new MessageChannel()
  const answered = new Promise<boolean>((resolve) => {
    const hear = ({ data }: MessageEvent<ToWorker>): void => {
      if (data.control !== 'connected' && data.control !== 'connect-failed') return
      removeEventListener('message', hear)
      resolve(data.control === 'connected')
    }
    addEventListener('message', hear)
  })
  const copy = seed.expose().slice()
  const message: FromWorker = { control: 'connect', seed: copy }
  postMessage(message, { transfer: [port2, copy.buffer] })
  const network = remoteNetwork(port1)
  if (await answered) return network
  network.release()
  throw new PortError('E_OFFLINE', 'the page could not bring the network up', { retryable: true })
}

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { PortError, SottoError, createDevice, initCrdt } from '@sotto/core'
import type { Device } from '@sotto/core'
import { documentLibrary } from '@sotto/core/host-node'
import type { CryptoProvider, Secret } from '@sotto/core/crypto'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { openLevelStore } from '@sotto/core/level'
import type { Clock, Log, Network, Random, Store } from '@sotto/core/ports'
import { withLinkHints } from './face/link-hints.ts'
import { failedWith } from './home/files.ts'
import { ensureFormat } from './home/format.ts'
import { keyProtection, loadKey } from './home/key-file.ts'
import { openLogFile } from './home/log-file.ts'
import type { NodeHandle, OpenNode, OpenOptions } from './node-handle.ts'

const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

const clockOf = (offsetMs: number): Clock => ({
  nowMs: () => Date.now() + offsetMs,
  monotonicMs: () => performance.now(),
})

const silentLog: Log = { event: () => undefined }

function makeHome(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const full = failedWith(cause, 'ENOSPC', 'EDQUOT')
    throw new PortError(full ? 'E_STORE_FULL' : 'E_STORE_IO', 'the folder of this home cannot be made', {
      cause,
    })
  }
}

/** Opens the store, whose lock is the home's: the system frees it however the process ends. */
async function openStore(path: string): Promise<Store> {
  try {
    return await openLevelStore(path)
  } catch (cause) {
    if (!(cause instanceof SottoError) || cause.code !== 'E_STORE_LOCKED') throw cause
    throw new PortError('E_HOME_LOCKED', 'this home is already in use', {
      hint: 'Another Sotto has it open. End that one: sotto down',
      retryable: true,
      cause,
    })
  }
}

/** One timer that calls a device's `tick`; a newer delay replaces the older. */
function ticker() {
  let timer: NodeJS.Timeout | undefined
  let device: Device | undefined
  return {
    wake(delayMs: number): void {
      clearTimeout(timer)
      timer = setTimeout(() => device?.tick(), Math.min(Math.max(delayMs, 0), 2_147_483_647))
    },
    drive(driven: Device): void {
      device = driven
    },
    stop: () => clearTimeout(timer),
  }
}

/** Brings libp2p up when the device has its transport key; loaded only then, for commands without a network. */
function connector(options: OpenOptions, crypto: CryptoProvider, clock: Clock, log: Log) {
  let latest: Promise<Network> | undefined
  const { network, paths } = options
  const connect =
    network === null
      ? null
      : (transportSeed: Secret): Promise<Network> => {
          latest = import('./network.ts').then(({ openNetwork }) =>
            openNetwork({ transportSeed, crypto, clock, log, network, portsFile: paths.ports }),
          )
          return latest
        }
  return {
    connect,
    ready: async () => {
      await latest
    },
  }
}

/** Opens a home with everything a desktop node is made of. */
export const openNode: OpenNode = async (options): Promise<NodeHandle> => {
  const { paths } = options
  makeHome(paths.home)
  ensureFormat(paths.format)
  const store = await openStore(paths.store)
  const logFile = options.network === null ? undefined : openLogFile(paths.log)
  const timer = ticker()
  try {
    const crypto = await createNodeProvider()
    const { passphrase } = options
    const key = await loadKey(paths.key, { crypto, random: (length) => random.bytes(length), passphrase })
    const clock = clockOf(options.clockOffsetMs)
    const log = logFile?.log ?? silentLog
    const { connect, ready } = connector(options, crypto, clock, log)
    const notifier = { messageArrived: () => undefined }
    const wake = (delayMs: number): void => timer.wake(delayMs)
    const device = await createDevice({
      crypto,
      clock,
      random,
      store,
      key,
      log,
      notifier,
      documents: async () => initCrdt(await documentLibrary()),
      connect,
      wake,
    })
    timer.drive(device)
    await device.start()
    return {
      face: withLinkHints(device),
      keyProtection: keyProtection(paths.key) ?? 'file',
      connected: ready,
      halted: device.halted,
      async stop() {
        timer.stop()
        await device.stop()
        timer.stop()
        logFile?.close()
      },
    }
  } catch (error) {
    timer.stop()
    await store.close().catch(() => undefined)
    logFile?.close()
    throw error
  }
}

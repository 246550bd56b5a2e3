import { setMaxListeners } from '@libp2p/interface'

/**
 * Runs once after `ms`; the result cancels it. A waiting timer never keeps a Node process alive: whatever
 * it guards holds its own socket.
 */
export function later(ms: number, run: () => void): () => void {
  const timer: unknown = setTimeout(run, ms)
  if (isUnrefable(timer)) timer.unref()
  return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0])
}

/** A signal that aborts after `ms`, or with one of the others. libp2p hangs many listeners on one. */
export function deadline(ms: number, ...others: readonly AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any([AbortSignal.timeout(ms), ...others])
  setMaxListeners(Infinity, signal)
  return signal
}

function isUnrefable(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer
}

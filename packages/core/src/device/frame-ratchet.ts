import { decodeFirstFlight, openFrom } from '../session/index.ts'
import { sureNow } from './timers.ts'
import type { Origin, Step } from './context.ts'
import { receiveHandshake } from './frame-handshake.ts'
import { receivePayload } from './frame-payload.ts'
import { receiveCopy } from './frame-records.ts'
import { linkTo, peersByPeerId, peersOf } from './lookup.ts'
import { putSessions, sessionsWith } from './sessions.ts'
import { peerRows, type Peer } from './tables.ts'

/**
 * Devices a frame of this origin can be from; headers are encrypted, so each is tried. At the intro queue that is
 * everybody: a device that knows no other place of ours yet goes on there after its first flight.
 */
function candidates(step: Step, origin: Origin): readonly Peer[] {
  if (origin.via === 'channel') return peersByPeerId(step, origin.peerId)
  const { account } = origin.queue
  return account === null ? step.tx.all(peerRows) : peersOf(step, account)
}

/** Opens a frame on the session it belongs to, or takes it as a first flight. What opens nowhere is dropped and counted. */
export async function receiveRatchetFrame(step: Step, frame: Uint8Array, origin: Origin): Promise<void> {
  const { crypto, log } = step.context
  for (const peer of candidates(step, origin)) {
    const opened = openFrom(crypto, sessionsWith(step, peer.device), frame, sureNow(step))
    if (opened.ok) {
      putSessions(step, peer.device, opened.peer)
      step.spent.push(...opened.spent)
      if (origin.via === 'channel') linkTo(step, peer.device).heardMs = step.monoMs
      await receivePayload(step, peer.device, opened.plaintext, frame)
      return
    }
    if (opened.reason === 'duplicate') {
      receiveCopy(step, peer, frame)
      return
    }
    if (opened.reason === 'body-failed') step.tx.put(peerRows, peer.device, { ...peer, renew: true })
  }
  const flight = decodeFirstFlight(frame)
  if (flight === undefined) log.event('frame-dropped')
  else await receiveHandshake(step, flight, frame, origin)
}

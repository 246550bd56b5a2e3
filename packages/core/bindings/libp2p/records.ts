import type { KadDHT, QueryEvent } from '@libp2p/kad-dht'
import { limits } from '../../src/limits.ts'
import { equalBytes, utf8 } from '../../src/wire/index.ts'
import { networkError } from '../../src/ports/index.ts'
import { deadline } from './timer.ts'

/** Checks a value as the DHT's validator does; the first path part of the key names the rule. */
async function isValid(dht: KadDHT, key: string, value: Uint8Array): Promise<boolean> {
  const validate = dht.validators[key.split('/')[1] ?? '']
  if (validate === undefined || value.length > limits.recordBytes) return false
  try {
    await validate(utf8(key), value)
    return true
  } catch {
    return false
  }
}

/**
 * Puts a value at the nodes closest to its key; resolves with how many confirmed it. kad-dht would store it
 * here without asking the validator, so the validator is asked first.
 */
export async function putRecord(
  dht: KadDHT,
  key: string,
  value: Uint8Array,
  timeMs: number,
): Promise<number> {
  if (value.length > limits.recordBytes) throw networkError('E_NET_TOO_LONG')
  if (!(await isValid(dht, key, value))) throw networkError('E_NET_REFUSED')
  const took = new Set<string>()
  await collect(dht.put(utf8(key), value, { signal: deadline(timeMs) }), (event) => {
    if (event.name !== 'PEER_RESPONSE' || event.messageName !== 'PUT_VALUE') return
    if (event.record !== undefined && equalBytes(event.record.value, value)) took.add(event.from.toString())
  })
  return took.size
}

/** Every different valid value that answered in time. kad-dht itself would show the selector's choice only. */
export async function getRecords(dht: KadDHT, key: string, timeMs: number): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = []
  const add = (value: Uint8Array | undefined): void => {
    if (value !== undefined && !found.some((known) => equalBytes(known, value))) found.push(value)
  }
  await collect(dht.get(utf8(key), { signal: deadline(timeMs) }), (event) => {
    if (event.name === 'VALUE') add(event.value)
    else if (event.name === 'PEER_RESPONSE') add(event.record?.value)
  })
  const valid = await Promise.all(found.map((value) => isValid(dht, key, value)))
  return found.filter((_, index) => valid[index])
}

/** A query may throw when a stale holder refuses its correction, or at its time limit: what came is kept. */
async function collect(events: AsyncIterable<QueryEvent>, take: (event: QueryEvent) => void): Promise<void> {
  try {
    for await (const event of events) take(event)
  } catch {
    // The events seen so far are the answer.
  }
}

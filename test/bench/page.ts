/** The rows of sessions in a tab: our provider of a tab against the wasm others bring. Driven by `chromium.ts`. */
import { createWasmProvider } from '../../packages/core/bindings/crypto-wasm/index.ts'
import { sottoSessions } from './own-session.ts'
import * as olm from './peers/olm.mjs'
import * as vodozemac from './peers/vodozemac.mjs'
import { tableOf } from './report.ts'
import { timesHere, type Pace } from './sample.ts'
import { sessionRows } from './session-rows.ts'

/** Measures all rows; a page has no clock of processor time, so these are times on the wall. */
export async function tables(pace: Omit<Pace, 'nowMs'>): Promise<readonly string[]> {
  const crypto = await createWasmProvider()
  const peers = [sottoSessions(crypto), olm, vodozemac]
  const more = [sottoSessions(crypto, 'Sotto, not serialised', 'live')]
  const done: string[] = []
  for (const row of sessionRows(peers, more, { establish: {}, pingPong: {}, oneWay: {} }))
    done.push(await tableOf(row, timesHere({ ...pace, nowMs: () => performance.now() }), 'time'))
  return done
}

Object.assign(globalThis, { tables })

import { InsideTeller, type Inside } from './inside.ts'
import { numberOf, textOf, type Line } from './trace-line.ts'

/** One frame on its way from a machine to another. */
export interface Carried {
  readonly from: string
  readonly to: string
  readonly protocol: string
  readonly sentMs: number
  readonly atMs: number
  readonly lost: boolean
  readonly bytes: number
}

/** A stretch of time, of one machine or of all. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** A stretch in which something is wrong with one machine, by the name of the fault. */
export interface Trouble extends Stretch {
  readonly host: string
  readonly fault: string
}

/** A message on its way up the ladder; what has not happened is absent. */
export interface Delivery {
  readonly id: string
  readonly from: string
  readonly acceptedMs: number
  relayedMs?: number
  shownMs?: number
}

/** What one relay saw of one queue. */
export interface QueueSeen {
  readonly relay: string
  readonly queue: string
  readonly deposits: { readonly atMs: number; readonly bytes: number }[]
  collections: number
}

/** A trace, told as what a report draws. */
export interface Story {
  /** Machines in the order of their lanes, relays last. */
  readonly hosts: readonly string[]
  readonly relays: readonly string[]
  readonly workloadMs: number
  readonly healMs: number
  readonly endMs: number
  readonly carried: readonly Carried[]
  readonly down: readonly (Stretch & { readonly host: string })[]
  /** Suspended tabs, disks and clocks in trouble, relays that mean ill. */
  readonly troubles: readonly Trouble[]
  readonly cuts: readonly (Stretch & { readonly directions: readonly string[] })[]
  readonly deliveries: readonly Delivery[]
  readonly queues: readonly QueueSeen[]
  /** Bytes given to the DHT, by machine. */
  readonly dhtBytes: number
  readonly inside: Inside
}

/** How the suspension of a tab is known while it lasts. */
const suspended = (line: Line): string => `suspended ${textOf(line, 'host')}`

/** Reads the lines of a trace. */
export function readStory(lines: readonly string[]): Story {
  const teller = new Teller()
  for (const text of lines) if (text !== '') teller.take(JSON.parse(text) as Line)
  return teller.story()
}

/** Takes a trace line by line. */
class Teller {
  readonly #hosts = new Set<string>()
  readonly #relays = new Set<string>()
  readonly #carried: Carried[] = []
  readonly #down: (Stretch & { readonly host: string })[] = []
  readonly #downSince = new Map<string, number>()
  readonly #troubles: Trouble[] = []
  readonly #openTroubles = new Map<string, Omit<Trouble, 'toMs'>>()
  readonly #cuts: (Stretch & { readonly directions: readonly string[] })[] = []
  readonly #openCuts = new Map<number, { readonly fromMs: number; readonly directions: readonly string[] }>()
  readonly #deliveries = new Map<string, Delivery>()
  readonly #queues = new Map<string, QueueSeen>()
  readonly #inside = new InsideTeller()
  #dhtBytes = 0
  #workloadMs = 0
  #healMs = 0
  #endMs = 0

  take(line: Line): void {
    this.#endMs = line.t
    switch (line.kind) {
      case 'workload':
        this.#workloadMs = line.t
        break
      case 'heal':
        this.#healMs = line.t
        for (const name of [...this.#openTroubles.keys()]) this.#endTrouble(name, line.t)
        break
      case 'boot':
        this.#boot(textOf(line, 'host'), line.t)
        break
      case 'stop':
      case 'crash':
      case 'boot-failed':
        if (!this.#downSince.has(textOf(line, 'host'))) this.#downSince.set(textOf(line, 'host'), line.t)
        this.#endTrouble(suspended(line), line.t)
        break
      case 'frozen':
      case 'thawed':
      case 'trouble-begins':
      case 'trouble-ends':
        this.#takeTrouble(line)
        break
      // A machine that could not be linked is thrown away.
      case 'linked':
        if (line['linked'] === false) this.#downSince.delete(textOf(line, 'fresh'))
        break
      case 'cut-begins':
        this.#openCuts.set(numberOf(line, 'cut'), {
          fromMs: line.t,
          directions: textOf(line, 'directions').split(',').filter(Boolean),
        })
        break
      case 'cut-ends':
        this.#endCut(numberOf(line, 'cut'), line.t)
        break
      case 'carried':
        this.#carry(line)
        break
      case 'dht-put':
        this.#dhtBytes += numberOf(line, 'bytes')
        break
      default:
        this.#takeMessage(line)
        this.#inside.take(line)
    }
  }

  story(): Story {
    for (const [host, fromMs] of this.#downSince) this.#down.push({ host, fromMs, toMs: this.#endMs })
    for (const cut of [...this.#openCuts.keys()]) this.#endCut(cut, this.#endMs)
    for (const name of [...this.#openTroubles.keys()]) this.#endTrouble(name, this.#endMs)
    const machines = [...this.#hosts].filter((host) => !this.#relays.has(host)).sort()
    const relays = [...this.#relays].sort()
    return {
      hosts: [...machines, ...relays],
      relays,
      workloadMs: this.#workloadMs,
      healMs: this.#healMs === 0 ? this.#endMs : this.#healMs,
      endMs: this.#endMs,
      carried: this.#carried,
      down: this.#down,
      troubles: this.#troubles,
      cuts: this.#cuts,
      deliveries: [...this.#deliveries.values()],
      queues: [...this.#queues.values()],
      dhtBytes: this.#dhtBytes,
      inside: this.#inside.inside(),
    }
  }

  #boot(host: string, atMs: number): void {
    this.#hosts.add(host)
    const since = this.#downSince.get(host)
    if (since !== undefined) this.#down.push({ host, fromMs: since, toMs: atMs })
    this.#downSince.delete(host)
  }

  /** Every trouble that is told has a number; a tab is suspended once at a time. */
  #takeTrouble(line: Line): void {
    const { kind, t: atMs } = line
    const name = kind.startsWith('trouble-') ? textOf(line, 'trouble') : suspended(line)
    if (kind === 'thawed' || kind === 'trouble-ends') {
      this.#endTrouble(name, atMs)
      return
    }
    const fault = kind === 'frozen' ? 'tab-suspended' : textOf(line, 'fault')
    this.#openTroubles.set(name, { host: textOf(line, 'host'), fault, fromMs: atMs })
  }

  #endTrouble(name: string, toMs: number): void {
    const open = this.#openTroubles.get(name)
    this.#openTroubles.delete(name)
    if (open !== undefined) this.#troubles.push({ ...open, toMs })
  }

  #endCut(cut: number, toMs: number): void {
    const open = this.#openCuts.get(cut)
    this.#openCuts.delete(cut)
    if (open !== undefined && open.directions.length > 0) this.#cuts.push({ ...open, toMs })
  }

  #carry(line: Line): void {
    const [from, to] = [textOf(line, 'from'), textOf(line, 'to')]
    for (const host of [from, to]) this.#hosts.add(host)
    this.#carried.push({
      from,
      to,
      protocol: textOf(line, 'protocol'),
      sentMs: numberOf(line, 'sent'),
      atMs: line.t,
      lost: line['lost'] === true,
      bytes: numberOf(line, 'bytes'),
    })
  }

  #takeMessage(line: Line): void {
    const id = textOf(line, 'message')
    if (line.kind === 'accepted')
      this.#deliveries.set(id, { id, from: textOf(line, 'host'), acceptedMs: line.t })
    const delivery = this.#deliveries.get(id)
    if (delivery !== undefined && line.kind === 'shown') delivery.shownMs ??= line.t
    if (delivery !== undefined && line.kind === 'state' && line['state'] === 'relayed')
      delivery.relayedMs ??= line.t
    if (line.kind === 'queue' || line.kind === 'stored' || line.kind === 'collected') this.#takeQueue(line)
  }

  #takeQueue(line: Line): void {
    const [relay, queue] = [textOf(line, 'host'), textOf(line, 'queue')]
    this.#relays.add(relay)
    const key = `${relay}/${queue}`
    const seen = this.#queues.get(key) ?? { relay, queue, deposits: [], collections: 0 }
    if (line.kind === 'stored') seen.deposits.push({ atMs: line.t, bytes: numberOf(line, 'bytes') })
    if (line.kind === 'collected') seen.collections += 1
    this.#queues.set(key, seen)
  }
}

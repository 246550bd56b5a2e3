import * as Plot from '@observablehq/plot'
import type { RunResult } from '../scenarios/run.ts'
import { byteAxis, colours, draw, type Figure } from './figure.ts'
import { ascending, quantile } from './stats.ts'
import type { Delivery, Story } from './story.ts'
import { axisUnit, duration, size } from './units.ts'

const percentiles = [0.5, 0.9, 0.99] as const
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

/** How long messages took from being accepted to being shown, over every seed. */
export function latencies(values: readonly number[], seeds: number): Figure {
  const sorted = ascending(values.map((ms) => Math.max(1, ms)))
  const ticks = logTicks(sorted)
  const points = sorted.map((ms, i) => ({ ms, share: (i + 1) / sorted.length }))
  const marks = percentiles.map((share) => ({ share, ms: quantile(sorted, share) }))
  const svg = draw({
    height: 300,
    marginLeft: 50,
    marginRight: 110,
    x: { type: 'log', label: 'from accepted to shown', domain: spanOf(sorted), axis: null },
    y: { label: 'share of messages (%)', percent: true, domain: [0, 100], grid: true },
    marks: [
      Plot.gridX(ticks),
      Plot.axisX(ticks, { text: duration, label: 'from accepted to shown' }),
      Plot.ruleX(marks, { x: 'ms', y1: 0, y2: 'share', stroke: colours.orange, strokeDasharray: '3 3' }),
      Plot.dot(marks, { x: 'ms', y: 'share', fill: colours.orange, r: 3 }),
      Plot.line(points, { x: 'ms', y: 'share', curve: 'step-after', stroke: colours.blue, strokeWidth: 1.8 }),
      Plot.text(marks, {
        x: 'ms',
        y: 'share',
        dy: 10,
        text: (one: { share: number; ms: number }) => `${percent(one.share)}: ${duration(one.ms)}`,
        textAnchor: 'start',
        dx: 5,
        fill: colours.orange,
        stroke: 'white',
        strokeWidth: 3,
      }),
    ],
  })
  return {
    name: 'latency',
    title: 'Latency',
    caption: `${values.length} messages of ${seeds === 1 ? 'one seed' : `${seeds} seeds`}, faults included: an app that is closed or a network that is cut counts as waiting. ${marks.map(({ share, ms }) => `${percent(share)} within ${duration(ms)}`).join(', ')}.`,
    svg,
    rows: points,
  }
}

/** Times people think in. */
const friendlyTimes = [
  1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 259_200_000, 1_209_600_000,
] as const

/** The span of a logarithmic axis of times: from the friendly one below the least to the one above the greatest. */
function spanOf(times: readonly number[]): readonly [number, number] {
  const [least, most] = times.reduce(
    ([low, high], ms) => [Math.min(low, ms), Math.max(high, ms)],
    [Infinity, 0],
  )
  return [
    friendlyTimes.findLast((ms) => ms <= least) ?? friendlyTimes[0],
    friendlyTimes.find((ms) => ms > most) ?? most,
  ]
}

/** Friendly times within that span. */
function logTicks(times: readonly number[]): readonly number[] {
  const [from, to] = spanOf(times)
  return friendlyTimes.filter((ms) => ms >= from && ms <= to)
}

const bandsOver = (story: Story, scale: (ms: number) => number): Plot.Markish => [
  Plot.rectX(story.cuts, {
    x1: (one: { fromMs: number }) => scale(one.fromMs),
    x2: (one: { toMs: number }) => scale(one.toMs),
    fill: colours.cut,
    fillOpacity: 0.5,
  }),
  Plot.ruleX([scale(story.healMs)], { stroke: colours.green, strokeDasharray: '4 3' }),
]

/** Each message's latency at the time it was written. */
export function latencyOverTime(story: Story): Figure {
  const { divisor, unit } = axisUnit(story.endMs - story.workloadMs)
  const scale = (ms: number): number => (ms - story.workloadMs) / divisor
  const rows = story.deliveries.flatMap(({ from, acceptedMs, shownMs, relayedMs }) =>
    shownMs === undefined
      ? []
      : [
          {
            from,
            acceptedMs,
            latencyMs: Math.max(1, shownMs - acceptedMs),
            way: relayedMs === undefined ? 'direct' : 'by relay',
          },
        ],
  )
  const latenciesMs = rows.map(({ latencyMs }) => latencyMs)
  const ticks = logTicks(latenciesMs)
  const svg = draw({
    height: 260,
    marginLeft: 60,
    x: {
      label: `written, ${unit} since faults began`,
      domain: [0, scale(Math.min(story.endMs, story.healMs + 600_000))],
    },
    y: { type: 'log', label: 'latency', domain: spanOf(latenciesMs), axis: null },
    color: { domain: ['direct', 'by relay'], range: [colours.blue, colours.orange], legend: true },
    marks: [
      Plot.gridY(ticks),
      Plot.axisY(ticks, { text: duration, label: 'latency' }),
      bandsOver(story, scale),
      Plot.dot(rows, {
        x: (one: { acceptedMs: number }) => scale(one.acceptedMs),
        y: 'latencyMs',
        stroke: 'way',
        r: 2.6,
      }),
    ],
  })
  return {
    name: 'latency-over-time',
    title: 'Latency over time',
    caption: 'One dot a message of the seed shown. Ochre: something is cut; dashed green: the heal.',
    svg,
    rows,
  }
}

/** Messages on their way, at the device that wrote them or at a relay, over time. */
export function waiting(story: Story): Figure {
  const { divisor, unit } = axisUnit(story.endMs - story.workloadMs)
  const scale = (ms: number): number => (ms - story.workloadMs) / divisor
  const steps = waitingSteps(story.deliveries, story.endMs)
  const rows = steps.map((step) => ({ ...step }))
  const svg = draw({
    height: 240,
    marginLeft: 50,
    x: {
      label: `${unit} since faults began`,
      domain: [0, scale(Math.min(story.endMs, story.healMs + 600_000))],
      clamp: true,
    },
    y: { label: 'messages waiting', grid: true },
    color: { domain: ['at the device', 'at a relay'], range: [colours.blue, colours.orange], legend: true },
    marks: [
      bandsOver(story, scale),
      Plot.rect(rows, {
        x1: (one: WaitingStep) => scale(one.fromMs),
        x2: (one: WaitingStep) => scale(one.toMs),
        y1: 'above',
        y2: (one: WaitingStep) => one.above + one.count,
        fill: 'where',
        stroke: 'where',
        strokeWidth: 0.6,
      }),
      Plot.ruleY([0]),
    ],
  })
  return {
    name: 'waiting',
    title: 'Messages waiting',
    caption:
      'Accepted and not yet shown: still only at the device that wrote them, or confirmed by a relay. The two are stacked. Ochre: something is cut; dashed green: the heal.',
    svg,
    rows,
  }
}

interface WaitingStep {
  readonly fromMs: number
  readonly toMs: number
  readonly where: string
  readonly count: number
  /** Height below, where the other is stacked. */
  readonly above: number
}

/** How many wait where, from one change to the next; times when nothing waits are left out. */
function waitingSteps(deliveries: readonly Delivery[], endMs: number): readonly WaitingStep[] {
  const changes = deliveries.flatMap(({ acceptedMs, relayedMs, shownMs = Infinity }) => {
    const left = relayedMs === undefined || relayedMs > shownMs ? undefined : relayedMs
    return [
      { atMs: acceptedMs, device: 1, relay: 0 },
      { atMs: left ?? shownMs, device: -1, relay: left === undefined ? 0 : 1 },
      ...(left === undefined ? [] : [{ atMs: shownMs, device: 0, relay: -1 }]),
    ]
  })
  const sorted = changes.sort((a, b) => a.atMs - b.atMs)
  let [device, relay] = [0, 0]
  return sorted.flatMap((change, i) => {
    device += change.device
    relay += change.relay
    const stretch = { fromMs: change.atMs, toMs: Math.min(endMs, sorted[i + 1]?.atMs ?? endMs) }
    if (stretch.toMs <= stretch.fromMs) return []
    return [
      { ...stretch, where: 'at the device', count: device, above: 0 },
      { ...stretch, where: 'at a relay', count: relay, above: device },
    ].filter(({ count }) => count > 0)
  })
}

/** What crossed the network, by what it was for. */
export function traffic(story: Story): Figure {
  const names: Readonly<Record<string, string>> = {
    direct: 'between devices',
    relay: 'with relays',
    invite: 'invites',
    link: 'linking devices',
  }
  const causeOf = (protocol: string): string => {
    const name = protocol.split('/').at(-2) ?? protocol
    return names[name] ?? name
  }
  const sums = new Map<string, { frames: number; bytes: number }>()
  const add = (cause: string, fate: string, bytes: number): void => {
    const key = `${cause}\n${fate}`
    const before = sums.get(key) ?? { frames: 0, bytes: 0 }
    sums.set(key, { frames: before.frames + 1, bytes: before.bytes + bytes })
  }
  for (const one of story.carried) add(causeOf(one.protocol), one.lost ? 'lost' : 'arrived', one.bytes)
  if (story.dhtBytes > 0) add('records in the DHT', 'arrived', story.dhtBytes)
  const rows = [...sums].map(([key, { frames, bytes }]) => {
    const [cause = '', fate = ''] = key.split('\n')
    return { cause, fate, frames, bytes }
  })
  const totals = [...new Set(rows.map(({ cause }) => cause))].map((cause) => ({
    cause,
    bytes: rows.filter((row) => row.cause === cause).reduce((sum, row) => sum + row.bytes, 0),
  }))
  const svg = draw({
    height: 80 + 34 * totals.length,
    marginLeft: 140,
    marginRight: 70,
    x: byteAxis('bytes', totals),
    y: { label: null, domain: totals.toSorted((a, b) => b.bytes - a.bytes).map(({ cause }) => cause) },
    color: { domain: ['arrived', 'lost'], range: [colours.blue, colours.lost], legend: true },
    marks: [
      Plot.barX(rows, { x: 'bytes', y: 'cause', fill: 'fate' }),
      Plot.text(totals, {
        x: 'bytes',
        y: 'cause',
        text: (one: { bytes: number }) => size(one.bytes),
        textAnchor: 'start',
        dx: 5,
      }),
      Plot.ruleX([0]),
    ],
  })
  return {
    name: 'traffic',
    title: 'Bytes by cause',
    caption:
      'Every byte handed to the network in the seed shown, frames repeated by the network not counted.',
    svg,
    rows,
  }
}

/** What was sealed, taken apart: one row a cause. */
export function sealed(causes: Readonly<Record<string, number>>): Figure {
  const rows = Object.entries(causes).map(([cause, bytes]) => ({ cause, bytes }))
  const total = rows.reduce((sum, row) => sum + row.bytes, 0)
  const svg = draw({
    height: 80 + 30 * rows.length,
    marginLeft: 180,
    marginRight: 120,
    x: byteAxis('bytes', rows),
    y: { label: null, domain: rows.toSorted((a, b) => b.bytes - a.bytes).map(({ cause }) => cause) },
    marks: [
      Plot.barX(rows, { x: 'bytes', y: 'cause', fill: colours.sky }),
      Plot.text(rows, {
        x: 'bytes',
        y: 'cause',
        text: (one: { bytes: number }) => `${size(one.bytes)} (${percent(one.bytes / Math.max(1, total))})`,
        textAnchor: 'start',
        dx: 5,
      }),
      Plot.ruleX([0]),
    ],
  })
  return {
    name: 'sealed',
    title: 'Inside what devices sealed for each other',
    caption:
      'Session frames by what their bytes are, counted once when they are sealed, over all devices of the seed shown.',
    svg,
    rows,
  }
}

/** How long after the heal each seed had settled. */
export function converged(results: readonly RunResult[]): Figure {
  const rows = results.map(({ seed, convergedMs }) => ({ seed, convergedMs }))
  const settled = ascending(rows.flatMap(({ convergedMs }) => (convergedMs === null ? [] : [convergedMs])))
  const { divisor, unit } = axisUnit(settled.at(-1) ?? 0)
  const svg = draw({
    height: 200,
    marginLeft: 50,
    x: { label: `${unit} from the heal until all was shown and known to be`, nice: true, zero: true },
    y: { label: 'seeds', grid: true },
    marks: [
      Plot.rectY(settled, {
        ...Plot.binX({ y: 'count' }, { x: (ms: number) => ms / divisor, thresholds: 24 }),
        fill: colours.green,
      }),
      Plot.ruleY([0]),
    ],
  })
  const late = rows.length - settled.length
  const notSettled = late === 0 ? '' : ` ${late} did not settle in time and are not drawn.`
  return {
    name: 'converged',
    title: 'Time to converge',
    caption: `${settled.length} seeds: half within ${duration(quantile(settled, 0.5))}, the slowest ${duration(settled.at(-1) ?? NaN)}.${notSettled} Looked at every five seconds.`,
    svg,
    rows,
  }
}

/** What each relay's operator could write down. */
export function relaysEye(story: Story): Figure {
  const { divisor, unit } = axisUnit(story.endMs - story.workloadMs)
  const rows = story.queues.flatMap(({ relay, queue, deposits }) =>
    deposits.map(({ atMs, bytes }) => ({ relay, queue, atMs, bytes })),
  )
  const at = (ms: number): number => (ms - story.workloadMs) / divisor
  const lanes = story.queues
    .filter(({ deposits }) => deposits.length > 0)
    .map(({ relay, queue }) => `${relay} ${queue}`)
    .sort()
  const svg = draw({
    height: 90 + 20 * Math.max(1, lanes.length),
    marginLeft: 120,
    x: {
      label: `${unit} since faults began`,
      domain: [Math.min(0, ...rows.map(({ atMs }) => at(atMs))), at(story.endMs)],
      insetLeft: 14,
      insetRight: 14,
    },
    y: { domain: lanes, label: null },
    r: { range: [2, 9] },
    marks: [
      Plot.ruleY(lanes, { stroke: '#ddd' }),
      Plot.dot(rows, {
        x: (one: { atMs: number }) => at(one.atMs),
        y: (one: { relay: string; queue: string }) => `${one.relay} ${one.queue}`,
        r: 'bytes',
        stroke: colours.purple,
        fill: colours.purple,
        fillOpacity: 0.3,
      }),
    ],
  })
  return {
    name: 'relays-eye',
    title: 'What each relay could learn',
    caption:
      'One lane a queue, one dot a deposit; its area is its size. A relay sees times, sizes and how many queues there are, and which connection reads or writes them; not who writes to whom, nor what.',
    svg,
    rows,
  }
}

import * as Plot from '@observablehq/plot'
import { colours, draw, type Figure } from './figure.ts'
import type { Carried, Story } from './story.ts'
import { axisUnit, duration } from './units.ts'

/** More arrows than these only blacken a plot. */
const arrowsAtMost = 1_500
const zoomArrows = 300

interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** A window and the moment its axis counts from. */
interface View extends Window {
  readonly originMs: number
}

/** Bands of a window: machines that are down, and times when something is cut. */
function bands(story: Story, { fromMs, toMs }: Window, scale: (ms: number) => number): Plot.Markish[] {
  const inside = <T extends Window>(all: readonly T[]): T[] =>
    all
      .filter((one) => one.toMs > fromMs && one.fromMs < toMs)
      .map((one) => ({ ...one, fromMs: Math.max(one.fromMs, fromMs), toMs: Math.min(one.toMs, toMs) }))
  const x = { x1: (one: Window) => scale(one.fromMs), x2: (one: Window) => scale(one.toMs) }
  const lane = (host: string): number => story.hosts.indexOf(host)
  return [
    Plot.rect(inside(story.cuts), {
      ...x,
      y1: -0.6,
      y2: story.hosts.length - 0.4,
      fill: colours.cut,
      fillOpacity: 0.5,
    }),
    Plot.rect(inside(story.down), {
      ...x,
      y1: (one: { host: string }) => lane(one.host) - 0.28,
      y2: (one: { host: string }) => lane(one.host) + 0.28,
      fill: colours.down,
    }),
    Plot.ruleY(
      story.hosts.map((_, i) => i),
      { stroke: '#999', strokeWidth: 0.6 },
    ),
  ]
}

const inWindow = (story: Story, { fromMs, toMs }: Window): readonly Carried[] =>
  story.carried.filter((one) => one.atMs >= fromMs && one.sentMs <= toMs)

/** Evenly thinned, but every lost frame stays. */
function thinned(all: readonly Carried[], most: number): readonly Carried[] {
  const lost = all.filter((one) => one.lost).slice(0, most)
  const rest = all.filter((one) => !one.lost)
  const step = Math.max(1, Math.ceil(rest.length / Math.max(1, most - lost.length)))
  return [...rest.filter((_, i) => i % step === 0), ...lost]
}

function diagram(
  story: Story,
  window: View,
  most: number,
  marks: Plot.Markish[] = [],
): Omit<Figure, 'name' | 'title' | 'caption'> & { readonly shown: number; readonly of: number } {
  const { divisor, unit } = axisUnit(window.toMs - window.fromMs)
  const scale = (ms: number): number => (ms - window.originMs) / divisor
  const all = inWindow(story, window)
  const shown = thinned(all, most)
  const lane = (host: string): number => story.hosts.indexOf(host)
  const arrow = {
    x1: (one: Carried) => scale(one.sentMs),
    x2: (one: Carried) => scale(one.atMs),
    y1: (one: Carried) => lane(one.from),
    y2: (one: Carried) => lane(one.to),
  }
  const known = shown.filter((one) => lane(one.from) >= 0 && lane(one.to) >= 0)
  const dense = known.length > 200
  const svg = draw({
    height: 70 + 44 * story.hosts.length,
    marginLeft: 70,
    marginTop: 28,
    x: {
      domain: [scale(window.fromMs), scale(window.toMs)],
      label: `${unit} ${window.originMs === story.workloadMs ? 'since faults began' : 'from the moment'}`,
      clamp: true,
      nice: false,
    },
    y: {
      domain: [story.hosts.length - 0.4, -0.6],
      ticks: story.hosts.map((_, i) => i),
      tickFormat: (i: number) => story.hosts[i] ?? '',
      label: null,
      tickSize: 0,
    },
    marks: [
      ...bands(story, window, scale),
      Plot.link(
        known.filter((one) => !one.lost),
        {
          ...arrow,
          stroke: colours.blue,
          strokeOpacity: dense ? 0.25 : 0.8,
          strokeWidth: dense ? 0.7 : 1.2,
          ...(dense ? {} : { markerEnd: 'arrow' }),
        },
      ),
      Plot.link(
        known.filter((one) => one.lost),
        {
          ...arrow,
          stroke: colours.lost,
          strokeOpacity: 0.9,
          strokeWidth: 1.3,
          markerEnd: dense ? 'none' : 'dot',
        },
      ),
      ...marks,
    ],
  })
  const rows = known.map(({ from, to, protocol, sentMs, atMs, lost, bytes }) => ({
    from,
    to,
    protocol,
    sentMs,
    atMs,
    lost,
    bytes,
  }))
  return { svg, rows, shown: known.length, of: all.length }
}

const thinnedBy = (shown: number, of: number): string =>
  shown < of ? ` ${shown} of ${of} frames are drawn, every lost one among them.` : ` ${of} frames.`

/** The whole run: lanes of machines, frames between them, what was cut and who was down. */
export function spaceTime(story: Story): Figure {
  const window = {
    fromMs: story.workloadMs,
    toMs: Math.min(story.endMs, story.healMs + 600_000),
    originMs: story.workloadMs,
  }
  const heal = axisUnit(window.toMs - window.fromMs).divisor
  const mark = Plot.ruleX([(story.healMs - story.workloadMs) / heal], {
    stroke: colours.green,
    strokeWidth: 1.5,
    strokeDasharray: '4 3',
  })
  const { shown, of, ...drawn } = diagram(story, window, arrowsAtMost, [mark])
  return {
    name: 'space-time',
    title: 'Space-time diagram',
    caption: `Each line is a frame from one lane to another, red when it was lost. Ochre bands: some direction of the network is cut. Grey: the machine is down. Dashed green: the heal, when every fault ends.${thinnedBy(shown, of)}`,
    ...drawn,
  }
}

/** A moment worth a closer look, and why. */
export interface Focus {
  readonly atMs: number
  readonly why: string
}

/** Frames before the moment that a closer look takes in, and how long it is at least and at most. */
const zoomed = { frames: 16, leastMs: 400, mostMs: 4_000 }

/** What went on around a moment. */
export function spaceTimeZoom(story: Story, { atMs, why }: Focus): Figure {
  const before = story.carried.filter((one) => one.sentMs <= atMs).slice(-zoomed.frames)
  const reachMs = Math.min(zoomed.mostMs, Math.max(zoomed.leastMs, atMs - (before[0]?.sentMs ?? atMs)))
  const window = { fromMs: atMs - reachMs, toMs: atMs + reachMs, originMs: atMs }
  const mark = Plot.ruleX([0], { stroke: colours.orange, strokeWidth: 2 })
  const { shown, of, ...drawn } = diagram(story, window, zoomArrows, [mark])
  return {
    name: 'space-time-zoom',
    title: `A closer look: ${why}`,
    caption: `The same diagram around the orange moment, ${duration(atMs - story.workloadMs)} after faults began. Arrows end where the frame arrived; red ones, with a dot, where it would have.${thinnedBy(shown, of)}`,
    ...drawn,
  }
}

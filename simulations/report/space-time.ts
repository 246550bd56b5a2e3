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

/** What a band in a lane says, with the colour it has in every report. */
const bandColours = {
  down: colours.down,
  suspended: colours.purple,
  'disk in trouble': colours.yellow,
  'clock wrong': colours.green,
  'relay means ill': colours.orange,
  'in other hands': colours.sky,
  'another fault': colours.ink,
} as const
type Band = keyof typeof bandColours
const bandNames = Object.keys(bandColours) as readonly Band[]

/** The band a fault that lasts is drawn as. */
function bandOf(fault: string): Band {
  if (fault === 'tab-suspended') return 'suspended'
  if (fault === 'theft') return 'in other hands'
  if (fault.startsWith('clock')) return 'clock wrong'
  if (fault.startsWith('disk') || fault === 'relay-disk') return 'disk in trouble'
  return fault.startsWith('relay-') ? 'relay means ill' : 'another fault'
}

/** Bands of a lane: what the machine cannot help beside what it does wrong while it runs. */
const laneBands = ({ down, troubles }: Story): readonly (Window & { host: string; band: Band })[] => [
  ...down.map((one) => ({ ...one, band: 'down' as const })),
  ...troubles.map((one) => ({ ...one, band: bandOf(one.fault) })),
]

/** Where a band lies about its lane: on it when the machine stands still, else in a strip of its own below. */
const bandEdges: Readonly<Record<Band, readonly [number, number]>> = {
  down: [-0.26, 0.26],
  suspended: [-0.26, 0.26],
  'in other hands': [-0.44, -0.3],
  'relay means ill': [0.28, 0.42],
  'disk in trouble': [0.28, 0.42],
  'clock wrong': [0.42, 0.5],
  'another fault': [-0.44, -0.3],
}

/** Bands of a window: machines that are down or in trouble, and times when something is cut. */
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
    Plot.rect(inside(laneBands(story)), {
      ...x,
      y1: (one: { host: string; band: Band }) => lane(one.host) + bandEdges[one.band][0],
      y2: (one: { host: string; band: Band }) => lane(one.host) + bandEdges[one.band][1],
      fill: 'band',
      fillOpacity: 0.75,
    }),
    Plot.ruleY(
      story.hosts.map((_, i) => i),
      { stroke: '#999', strokeWidth: 0.6 },
    ),
  ]
}

const inWindow = (story: Story, { fromMs, toMs }: Window): readonly Carried[] =>
  story.carried.filter((one) => one.atMs >= fromMs && one.sentMs <= toMs)

/** So many of them at most, evenly spread. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, Math.ceil(all.length / Math.max(1, most)))
  return all.filter((_, i) => i % step === 0)
}

/** Evenly thinned; lost frames make way only when they alone would fill the plot. */
function thinned(all: readonly Carried[], most: number): readonly Carried[] {
  const lost = spread(
    all.filter((one) => one.lost),
    most / 2,
  )
  const rest = all.filter((one) => !one.lost)
  return [...spread(rest, most - lost.length), ...lost]
}

/** How many frames there are in a diagram, and how many of them are drawn. */
interface Drawn {
  readonly shown: number
  readonly of: number
  readonly lost: number
  readonly lostShown: number
}

function diagram(
  story: Story,
  window: View,
  most: number,
  marks: Plot.Markish[] = [],
): { readonly drawn: Pick<Figure, 'svg' | 'rows'>; readonly count: Drawn } {
  const { divisor, unit } = axisUnit(window.toMs - window.fromMs)
  const scale = (ms: number): number => (ms - window.originMs) / divisor
  const all = inWindow(story, window)
  const shown = thinned(all, most)
  const lost = all.filter((one) => one.lost).length
  const lane = (host: string): number => story.hosts.indexOf(host)
  const arrow = {
    x1: (one: Carried) => scale(one.sentMs),
    x2: (one: Carried) => scale(one.atMs),
    y1: (one: Carried) => lane(one.from),
    y2: (one: Carried) => lane(one.to),
  }
  const known = shown.filter((one) => lane(one.from) >= 0 && lane(one.to) >= 0)
  const dense = known.length > 200
  const overlapping = laneBands(story).filter((one) => one.toMs > window.fromMs && one.fromMs < window.toMs)
  const present = bandNames.filter((name) => overlapping.some(({ band }) => band === name))
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
    color: { domain: present, range: present.map((band) => bandColours[band]), legend: present.length > 0 },
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
          strokeOpacity: dense ? 0.5 : 0.9,
          strokeWidth: dense ? 0.9 : 1.3,
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
  const lostShown = known.filter((one) => one.lost).length
  return { drawn: { svg, rows }, count: { shown: known.length, of: all.length, lost, lostShown } }
}

const thinnedBy = ({ shown, of, lost, lostShown }: Drawn): string =>
  shown < of
    ? ` ${shown} of ${of} frames are drawn, ${lostShown < lost ? `${lostShown} of ${lost} lost ones` : 'every lost one'} among them.`
    : ` ${of} frames.`

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
  const { drawn, count } = diagram(story, window, arrowsAtMost, [mark])
  return {
    name: 'space-time',
    title: 'Space-time diagram',
    caption: `Each line is a frame from one lane to another, red when it was lost. Ochre bands behind all lanes: some direction of the network is cut. Bands in a lane: what befell that machine. Dashed green: the heal, when every fault ends.${thinnedBy(count)}`,
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
  const { drawn, count } = diagram(story, window, zoomArrows, [mark])
  return {
    name: 'space-time-zoom',
    title: `A closer look: ${why}`,
    caption: `The same diagram around the orange moment, ${duration(atMs - story.workloadMs)} after faults began. Arrows end where the frame arrived; red ones, with a dot, where it would have.${thinnedBy(count)}`,
    ...drawn,
  }
}

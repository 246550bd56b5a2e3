import * as Plot from '@observablehq/plot'
import type { RunResult } from '../scenarios/run.ts'
import { byteAxis, colours, draw, type Figure } from './figure.ts'
import type { HomeSize } from './inside.ts'
import type { Story } from './story.ts'
import { axisUnit, size } from './units.ts'

/** How much a home holds for what its history holds. */
export function growth(results: readonly RunResult[]): Figure {
  const rows = results.flatMap(({ seed, homes }) => homes.map((home) => ({ seed, ...home })))
  const fitted = rows.length >= 8
  const svg = draw({
    height: 260,
    marginLeft: 70,
    x: { label: 'messages in the histories of a home', grid: true, zero: true },
    y: { ...byteAxis('bytes in its store', rows), zero: true },
    marks: [
      Plot.dot(rows, { x: 'messages', y: 'bytes', stroke: colours.green, r: 2.8 }),
      ...(fitted
        ? [Plot.linearRegressionY(rows, { x: 'messages', y: 'bytes', stroke: colours.green, ci: 0.95 })]
        : []),
    ],
  })
  return {
    name: 'growth',
    title: 'Bytes of a home by its messages',
    caption: `One dot a device at the end of its run: histories, sessions and everything else it keeps, sealed.${fitted ? ' The line is a linear fit, its band the 95 % interval.' : ''}`,
    svg,
    rows,
  }
}

/** Those whose names can stand at the end of their lines without lying on each other. */
function apart(sizes: readonly HomeSize[]): readonly HomeSize[] {
  const gap = Math.max(...sizes.map(({ bytes }) => bytes)) / 20
  const sorted = sizes.toSorted((a, b) => b.bytes - a.bytes)
  return sorted.reduce<readonly HomeSize[]>(
    (kept, one) => ((kept.at(-1)?.bytes ?? Infinity) - one.bytes >= gap ? [...kept, one] : kept),
    [],
  )
}

/** How homes grew in the seed shown. */
export function homesOverTime(story: Story): Figure {
  const { sizes } = story.inside
  const { divisor, unit } = axisUnit(story.endMs - story.workloadMs)
  const hours = (one: { readonly atMs: number }): number => (one.atMs - story.workloadMs) / divisor
  const last = apart([...new Map(sizes.map((one) => [one.host, one])).values()])
  const svg = draw({
    height: 260,
    marginLeft: 70,
    marginRight: 70,
    x: { label: `${unit} since faults began` },
    y: { ...byteAxis('bytes in the store', sizes), zero: true },
    marks: [
      Plot.line(sizes, { x: hours, y: 'bytes', z: 'host', stroke: colours.green, strokeOpacity: 0.7 }),
      Plot.text(last, {
        x: hours,
        y: 'bytes',
        text: 'host',
        textAnchor: 'start',
        dx: 4,
        fontSize: 10,
      }),
    ],
  })
  return {
    name: 'homes-over-time',
    title: 'Growth of documents',
    caption:
      'One line a device of the seed shown: every byte in its store, sealed. Some lines are named. What is forgotten, or sealed away in one file, makes a home shrink.',
    svg,
    rows: sizes.map((one) => ({ ...one })),
  }
}

/** What the bytes of homes are, at the end. */
export function homeParts({ inside: { parts } }: Story): Figure {
  const names = [...new Set(parts.map(({ part }) => part))]
  const sum = (of: string): number =>
    parts.filter(({ part }) => part === of).reduce((total, { bytes }) => total + bytes, 0)
  const hosts = [...new Set(parts.map(({ host }) => host))].sort()
  const totals = hosts.map((host) => ({
    host,
    bytes: parts.filter((one) => one.host === host).reduce((total, { bytes }) => total + bytes, 0),
  }))
  const domain = names.toSorted((a, b) => sum(b) - sum(a))
  const range = [...Object.values(colours).slice(0, 6), '#999999', '#5d3a9b', '#e6c8a0', '#dddddd']
  const svg = draw({
    height: 70 + 24 * hosts.length,
    marginLeft: 70,
    marginRight: 70,
    x: byteAxis('bytes', totals),
    y: { label: null, domain: hosts },
    color: { domain, range: range.slice(0, domain.length), legend: true },
    marks: [
      Plot.barX(parts, { x: 'bytes', y: 'host', fill: 'part', order: domain }),
      Plot.text(totals, {
        x: 'bytes',
        y: 'host',
        text: (one: { bytes: number }) => size(one.bytes),
        textAnchor: 'start',
        dx: 5,
      }),
    ],
  })
  return {
    name: 'home-parts',
    title: 'What homes hold',
    caption:
      'Rows of every table before they are sealed, by what they are for, at the end of the seed shown.',
    svg,
    rows: parts.map((one) => ({ ...one })),
  }
}

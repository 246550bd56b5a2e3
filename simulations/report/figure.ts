import * as Plot from '@observablehq/plot'
import { JSDOM } from 'jsdom'
import type { Cell } from './csv.ts'
import { size } from './units.ts'

/** A plot and the numbers it is drawn from. */
export interface Figure {
  /** File name of its CSV, without the ending. */
  readonly name: string
  readonly title: string
  /** What to see, and what it does not show. */
  readonly caption: string
  readonly svg: string
  readonly rows: readonly Readonly<Record<string, Cell>>[]
}

/** Colours that differ for every kind of sight (Okabe and Ito), and the greys of bands. */
export const colours = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#009e73',
  purple: '#cc79a7',
  sky: '#56b4e9',
  yellow: '#e69f00',
  lost: '#d00000',
  down: '#b8b8b8',
  cut: '#f3d9a4',
  ink: '#222222',
} as const

let known: Document | undefined

/** Draws a plot as text; the same marks give the same text. */
export function draw(options: Plot.PlotOptions): string {
  const document = (known ??= new JSDOM('').window.document)
  const plot = Plot.plot({
    document,
    width: 920,
    marginBottom: 46,
    style: { fontSize: '12px', fontFamily: 'system-ui, sans-serif', color: colours.ink, background: 'none' },
    className: 'plot',
    ...options,
  })
  return plot.outerHTML
}

/** An axis of bytes with ticks at whole powers and their simple multiples. */
export function byteAxis(label: string, rows: readonly { readonly bytes: number }[]): Plot.ScaleOptions {
  const most = Math.max(1, ...rows.map(({ bytes }) => bytes))
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(most / 6)))
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step)
  return { label, tickFormat: size, grid: true, ticks }
}

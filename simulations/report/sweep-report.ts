import * as Plot from '@observablehq/plot'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { csvOf } from './csv.ts'
import { colours, draw, type Figure } from './figure.ts'
import type { Sweep } from './folder.ts'
import { meanOf, metrics, type Metric } from './metrics.ts'
import { sweepPage } from './page.ts'

/** Writes a sweep with its report; the report's file. */
export function writeSweep(folder: string, sweep: Sweep): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'sweep.json'), `${JSON.stringify(sweep, null, 2)}\n`)
  const figures = metrics.map((metric) => multiple(sweep, metric))
  for (const { name, rows } of figures) writeFileSync(join(folder, `${name}.csv`), csvOf(rows))
  const file = join(folder, 'report.html')
  writeFileSync(file, sweepPage(sweep, figures))
  return file
}

/** One metric over what was varied: means with their 95 % intervals. */
function multiple({ varied, points }: Sweep, metric: Metric): Figure {
  const [first, ...others] = varied
  const rows = points.map(({ values, results }) => {
    const { n, mean, low, high } = meanOf(metric, results)
    const [x = '', ...rest] = values
    const settings = Object.fromEntries(varied.map(({ name }, i) => [name, values[i] ?? '']))
    return { ...settings, x, series: rest.join(', '), n, mean, low, high }
  })
  const drawn = rows.filter(({ mean }) => Number.isFinite(mean))
  const series = [...new Set(rows.map((row) => row.series))]
  const several = series.length > 1
  const stroke = several ? 'series' : colours.blue
  const svg = draw({
    height: 250,
    marginLeft: 80,
    x: { type: 'point', domain: first?.values ?? [], label: first?.name ?? '', padding: 0.4 },
    y: { label: metric.title, tickFormat: metric.format, grid: true, zero: true, ticks: 6 },
    ...(several
      ? {
          color: {
            domain: series,
            range: [colours.blue, colours.orange, colours.green, colours.purple, colours.yellow, colours.sky],
            legend: true,
          },
        }
      : {}),
    marks: [
      Plot.line(drawn, { x: 'x', y: 'mean', stroke, strokeOpacity: 0.5, z: 'series' }),
      Plot.ruleX(
        drawn.filter(({ low }) => Number.isFinite(low)),
        { x: 'x', y1: 'low', y2: 'high', stroke, strokeWidth: 2 },
      ),
      Plot.dot(drawn, { x: 'x', y: 'mean', fill: stroke, r: 4 }),
      Plot.ruleY([0]),
    ],
  })
  const by = others.length === 0 ? '' : ` Colours: ${others.map(({ name }) => name).join(', ')}.`
  return {
    name: metric.name,
    title: metric.title,
    caption: `Means over ${points[0]?.results.length ?? 0} seeds each, with 95 % intervals.${by}`,
    svg,
    rows: rows.map(({ x: _x, series: _series, ...row }) => row),
  }
}

import { livenessLaws, safetyLaws } from '../laws/laws.ts'
import type { RunResult } from '../scenarios/run.ts'
import type { Figure } from './figure.ts'
import type { Results, Sweep } from './folder.ts'
import { shareOf } from './stats.ts'
import type { Story } from './story.ts'
import { exitCodeOf, exitCodes, reproduce } from './summary.ts'
import { duration, size } from './units.ts'

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as HTML shows it. */
const text = (value: string | number): string =>
  String(value).replace(/[&<>"]/g, (char) => entities[char] ?? char)

const row = (cells: readonly (string | number)[], tag = 'td'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join('')}</tr>`

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  `<table><thead>${row(head, 'th')}</thead><tbody>${rows.map((cells) => row(cells)).join('')}</tbody></table>`

const section = (title: string, ...parts: readonly string[]): string =>
  `<section><h2>${text(title)}</h2>${parts.join('')}</section>`

/** Ids within a figure, named after it: the plotter numbers them through all it ever drew. */
function ownIds(name: string, svg: string): string {
  const known = new Map<string, string>()
  return svg.replace(/plot-(?:marker|clip)-\d+/g, (id) => {
    const own = known.get(id) ?? `${name}-${known.size + 1}`
    known.set(id, own)
    return own
  })
}

const figureOf = ({ name, title, caption, svg }: Figure): string =>
  `<figure><h3>${text(title)}</h3>${ownIds(name, svg)}<figcaption>${text(caption)} <a href="${name}.csv">${name}.csv</a></figcaption></figure>`

const style = `
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 960px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc }
h3 { font-size: 1rem; margin: .6rem 0 }
.verdict { padding: .7rem 1rem; border-left: 6px solid; background: #f6f6f6 }
.held { border-color: #009e73 } .failed { border-color: #d00000 }
code, pre { font: 13px/1.45 ui-monospace, monospace } pre { background: #f6f6f6; padding: .7rem; white-space: pre-wrap; overflow-wrap: anywhere }
table { border-collapse: collapse; font-size: 14px; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ddd } td:last-child { overflow-wrap: anywhere } tr { break-inside: avoid } tr.violated td { color: #b00000; font-weight: 600 }
figure { margin: 1.4rem 0; break-inside: avoid } figure svg { max-width: 100%; height: auto } figcaption { font-size: 13px; color: #444 }
figure figure { margin: 0 }
.legend { font-size: 13px; margin: .2rem 0 } .legend span { margin-right: 1.2rem; white-space: nowrap } .legend b { font-size: 15px }
@page { margin: 15mm }
@media print { * { print-color-adjust: exact; -webkit-print-color-adjust: exact } body { margin: 0; max-width: none; font-size: 11pt } h2 { break-after: avoid } section { break-inside: auto } a { color: inherit; text-decoration: none } }
`

/** Puts the whole report together: one file, nothing loaded, no script. */
export function pageOf(results: Results, story: Story, figures: readonly Figure[]): string {
  const held = results.summary.failedSeeds.length === 0
  const { recipe } = results
  return document(
    recipe.scenario,
    `<p>${text(results.claim)}</p>${verdict(results, held)}`,
    section('Properties', properties(results.results)),
    section('Figures', ...figures.map(figureOf)),
    section('What a relay saw', relayTable(story)),
    section('Faults that struck', faults(results)),
    section('Resources', resources(results)),
    section('What the model leaves out', limitsOfModel),
    section('Data', dataOf(results, figures)),
  )
}

const document = (title: string, ...parts: readonly string[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(title)}</title><style>${style}</style></head><body>
<h1>${text(title)}</h1>
${parts.join('\n')}
</body></html>
`

/** The report of a sweep over settings. */
export function sweepPage(
  { recipe, claim, commit, varied, points }: Sweep,
  figures: readonly Figure[],
): string {
  const seeds = points.reduce((sum, { results }) => sum + results.length, 0)
  const failed = points.flatMap(({ results }) => results).filter((one) => exitCodeOf(one) !== exitCodes.held)
  const words = varied.map(({ name, values }) => `--vary ${name}=${values.join()}`).join(' ')
  const set = recipe.set.map((one) => ` --set ${one}`).join('')
  const command = `npx sotto-sim sweep ${recipe.scenario} --hours ${recipe.hours}${set} ${words} --repeat ${points[0]?.results.length ?? 1}`
  const held = failed.length === 0
  const line = `${held ? 'Held' : `${failed.length} failed`}: ${seeds} runs of ${recipe.hours} virtual hours, ${points.length} combinations.`
  return document(
    `${recipe.scenario}, a sweep`,
    `<p>${text(claim)}</p><div class="verdict ${held ? 'held' : 'failed'}"><p><strong>${text(line)}</strong></p><p>Commit ${text(commit)}. The same seeds under every combination.</p><pre>${text(command)}</pre></div>`,
    section('Figures', ...figures.map(figureOf)),
    section('What the model leaves out', limitsOfModel),
    section('Data', filesOf(['sweep.json', ...figures.map(({ name }) => `${name}.csv`)])),
  )
}

function verdict({ summary, recipe, commit, results, shownSeed }: Results, held: boolean): string {
  const shown = results.find(({ seed }) => seed === shownSeed)
  const share = shareOf(summary.failedSeeds.length, summary.seeds)
  const several =
    summary.seeds === 1
      ? ''
      : ` With 95 % confidence between ${(share.low * 100).toFixed(2)} % and ${(share.high * 100).toFixed(2)} % of seeds fail.`
  const line = held
    ? `Held: every law, over ${summary.seeds === 1 ? `seed ${shownSeed}` : `${summary.seeds} seeds`} of ${summary.hours} virtual hours, ${summary.messages} messages.`
    : `Failed: ${summary.failedSeeds.length} of ${summary.seeds} seeds (${[...new Set(results.flatMap(({ violated, crash }): readonly string[] => (crash === null ? violated : ['crash'])))].sort().join(', ')}).`
  const bug = recipe.plantBug === null ? '' : ` A bug was planted: ${recipe.plantBug}.`
  return `<div class="verdict ${held ? 'held' : 'failed'}"><p><strong>${text(line)}</strong>${text(several + bug)}</p>
<p>Seed shown: ${text(shownSeed)}. Commit ${text(commit)}. Trace ${text(shown?.traceHash.slice(0, 16) ?? '')}…</p>
<pre>${shown === undefined ? '' : text(`npx ${reproduce(shown, recipe)}`)}</pre></div>`
}

function properties(results: readonly RunResult[]): string {
  const rows = [...safetyLaws, ...livenessLaws].map((law) => {
    const broken = results.filter(({ violated }) => violated.includes(law))
    const first = broken[0]?.violations.find((one) => one.law === law)
    const shown =
      first === undefined ? '' : `seed ${broken[0]?.seed ?? ''}, at ${duration(first.atMs)}: ${first.what}`
    const crashed = results.filter(({ crash }) => crash !== null).length
    const kept = results.length - broken.length - crashed
    return [
      law,
      broken.length > 0 ? 'violated' : crashed === results.length ? 'not judged' : 'held',
      `${kept} of ${results.length}`,
      shown,
    ]
  })
  const crash = results.find((one) => one.crash !== null)
  const crashed =
    crash === undefined
      ? ''
      : `<p>Seed ${text(crash.seed)} crashed in product code:</p><pre>${text(crash.crash ?? '')}</pre>`
  const failed = results.filter((one) => exitCodeOf(one) !== exitCodes.held).slice(0, 20)
  const list =
    failed.length === 0
      ? ''
      : `<p>Failed seeds, at most 20 of them:</p>${table(
          ['seed', 'violated'],
          failed.map(({ seed, violated, crash: why }) => [
            seed,
            why === null ? violated.join(', ') : 'crash',
          ]),
        )}`
  const worst = rows.filter(([, verdict]) => verdict === 'violated')
  const rest = rows.filter(([, verdict]) => verdict !== 'violated')
  const judged = table(['law', 'verdict', 'seeds it held in', 'first counterexample'], [...worst, ...rest])
  return judged.replaceAll(/<tr>(?=<td>[^<]*<\/td><td>violated<)/g, '<tr class="violated">') + crashed + list
}

function relayTable({ relays, queues, carried, dhtBytes }: Story): string {
  const rows = relays.map((relay) => {
    const own = queues.filter((queue) => queue.relay === relay)
    const sizes = own.flatMap(({ deposits }) => deposits.map(({ bytes }) => bytes))
    const peers = new Set(carried.filter((one) => one.to === relay && !one.lost).map((one) => one.from))
    const largest = Math.max(0, ...sizes)
    return [
      relay,
      peers.size,
      own.length,
      sizes.length,
      new Set(sizes).size,
      size(sizes.reduce((sum, bytes) => sum + bytes, 0)),
      size(largest),
      own.filter(({ deposits }) => deposits.length > 0).length,
    ]
  })
  return `${table(['relay', 'peers that connected', 'queues', 'deposits', 'different sizes', 'bytes', 'largest', 'queues used'], rows)}<p>Queues stand under keys of their own, a pair for each contact, so that a queue names nobody; who deposits in a queue and who collects from it are known by their PeerIds and network addresses. Devices also gave ${text(size(dhtBytes))} of sealed records to the DHT.</p>`
}

const faults = ({ summary }: Results): string =>
  table(
    ['fault', 'times'],
    Object.entries(summary.faults).map(([kind, times]) => [kind, times]),
  ) +
  (summary.idleFaults.length === 0
    ? ''
    : `<p>Never struck, so nothing is shown about them: ${text(summary.idleFaults.join(', '))}.</p>`)

function resources({ resources: { node, wallMs, peakRssBytes }, results }: Results): string {
  const virtualMs = results.reduce((sum, one) => sum + one.virtualMs, 0)
  const events = results.reduce((sum, one) => sum + one.events, 0)
  return table(
    ['figure', 'value'],
    [
      ['wall time', duration(wallMs)],
      ['virtual time', duration(virtualMs)],
      ['virtual to real', `${Math.round(virtualMs / Math.max(1, wallMs))} to 1`],
      ['moments a second', Math.round((events / Math.max(1, wallMs)) * 1_000)],
      ['peak memory of this process', size(peakRssBytes)],
      ['Node', node],
    ],
  )
}

const limitsOfModel = `<ul>
<li>Channels are reliable and ordered, as libp2p's streams are: a lost frame ends its direction. There is no bandwidth, no congestion and no byte that flips on the way.</li>
<li>The DHT is a map that loses, forgets and rolls back; it has no routing and no churn of its own.</li>
<li>Delays are drawn once for each pair of machines and vary by half; faults are drawn independently of each other.</li>
<li>Cryptography is the real one over seeded randomness; its cost in time is not modelled: computing takes no virtual time.</li>
<li>People write at random moments and read when they like; they do not answer each other.</li>
<li>A green run says that these seeds found nothing, not that there is nothing to find.</li>
</ul>`

const filesOf = (files: readonly string[]): string =>
  `<p>Beside this file: ${files.map((file) => `<a href="${file}">${file}</a>`).join(', ')}.</p>`

const dataOf = ({ recipe, shownSeed }: Results, figures: readonly Figure[]): string =>
  `${filesOf(['results.json', 'trace.jsonl', ...figures.map(({ name }) => `${name}.csv`)])}<p>The trace is of seed ${text(shownSeed)}, an object a line; times are virtual milliseconds.</p><pre>${text(JSON.stringify(recipe))}</pre>`

import * as Plot from '@observablehq/plot'
import { colours, draw, type Figure } from './figure.ts'
import type { EpochSeen, Written } from './inside.ts'
import type { Story } from './story.ts'
import { axisUnit, duration } from './units.ts'

/** More columns than these cannot be told apart. */
const columnsAtMost = 60

/** How a cell is drawn: a mark that is told from every other without its colour, too. */
interface Look {
  readonly symbol: 'square' | 'circle' | 'times' | 'plus' | 'diamond'
  readonly colour: string
  readonly filled: boolean
  readonly r: number
}

interface MatrixCell<State extends string> {
  readonly host: string
  readonly column: number
  readonly state: State
}

const epochLooks = {
  readable: { symbol: 'square', colour: colours.blue, filled: true, r: 6 },
  erased: { symbol: 'square', colour: colours.blue, filled: false, r: 6 },
  'no key came': { symbol: 'circle', colour: colours.yellow, filled: false, r: 5 },
  'not heard of': { symbol: 'plus', colour: colours.yellow, filled: false, r: 4 },
  'not listed': { symbol: 'circle', colour: colours.down, filled: true, r: 1.5 },
  'readable, not listed': { symbol: 'times', colour: colours.lost, filled: false, r: 8 },
} as const satisfies Record<string, Look>
type EpochState = keyof typeof epochLooks

/** What of an epoch's messages a machine could open with what its disk holds. */
function epochState({ listed, keys }: EpochSeen, host: string): EpochState {
  const held = keys.get(host)
  if (!listed.has(host)) return held === 'held' || held === 'erased' ? 'readable, not listed' : 'not listed'
  if (held === undefined) return 'not heard of'
  if (held === 'never') return 'no key came'
  return held === 'held' ? 'readable' : 'erased'
}

const messageLooks = {
  'for it, shown': { symbol: 'square', colour: colours.blue, filled: true, r: 6 },
  'for it, not all shown': { symbol: 'square', colour: colours.yellow, filled: false, r: 6 },
  'given later': { symbol: 'diamond', colour: colours.sky, filled: true, r: 5 },
  'not for it': { symbol: 'circle', colour: colours.down, filled: true, r: 1.5 },
  'out, nothing shown': { symbol: 'plus', colour: colours.ink, filled: false, r: 4 },
  'out, and shown': { symbol: 'times', colour: colours.lost, filled: false, r: 8 },
} as const satisfies Record<string, Look>
type MessageState = keyof typeof messageLooks

/** What a machine shows of messages that are all for the same devices. */
function messageState(run: readonly Written[], host: string, shown: ReadonlySet<string>): MessageState {
  const seen = run.filter(({ message }) => shown.has(message)).length
  const [first] = run
  if (first?.out.has(host) === true) return seen > 0 ? 'out, and shown' : 'out, nothing shown'
  const own = run.filter(({ from }) => from === host).length
  if (first?.readers.has(host) === true || own === run.length)
    return seen === run.length ? 'for it, shown' : 'for it, not all shown'
  return seen > 0 ? 'given later' : 'not for it'
}

/** Those about the room most of them are about. */
function busiest<T extends { readonly room: string }>(all: readonly T[]): readonly T[] {
  const counts = new Map<string, number>()
  for (const { room } of all) counts.set(room, (counts.get(room) ?? 0) + 1)
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return all.filter(({ room }) => room === most?.[0])
}

/** Draws a matrix of machines and columns, with a legend of the states that occur. */
function matrix<State extends string>(
  cells: readonly MatrixCell<State>[],
  looks: Readonly<Record<State, Look>>,
  {
    hosts,
    ticks,
    label,
  }: { readonly hosts: readonly string[]; readonly ticks: readonly string[]; readonly label: string },
): string {
  const states = (Object.keys(looks) as State[]).filter((state) => cells.some((cell) => cell.state === state))
  const every = Math.max(1, Math.ceil(ticks.length / 24))
  const marked = states.map((state) => {
    const { symbol, colour, filled, r } = looks[state]
    return Plot.dot(
      cells.filter((cell) => cell.state === state),
      { x: 'column', y: 'host', symbol, r, stroke: colour, strokeWidth: 1.6, fill: filled ? colour : 'none' },
    )
  })
  const svg = draw({
    height: 70 + 24 * hosts.length,
    marginLeft: 70,
    x: {
      type: 'point',
      domain: ticks.map((_, i) => i),
      ticks: ticks.map((_, i) => i).filter((i) => i % every === 0),
      tickFormat: (i: number) => ticks[i] ?? '',
      label,
      padding: 0.6,
    },
    y: { type: 'point', domain: hosts, label: null, tickSize: 0, padding: 0.6 },
    marks: [Plot.ruleY(hosts, { stroke: '#eee' }), ...marked],
  })
  return legendOf(states.map((state) => [state, looks[state]])) + svg
}

/** A legend that shows the very marks. */
function legendOf(entries: readonly (readonly [string, Look])[]): string {
  const shapes = { square: '■', circle: '●', times: '×', plus: '+', diamond: '◆' }
  const hollow = { ...shapes, square: '□', circle: '○', diamond: '◇' }
  return `<p class="legend">${entries
    .map(
      ([state, { symbol, colour, filled }]) =>
        `<span><b style="color:${colour}">${(filled ? shapes : hollow)[symbol]}</b> ${state}</span>`,
    )
    .join('')}</p>`
}

const isWrong = (state: string): boolean => state === 'readable, not listed' || state === 'out, and shown'

/** Machines that are named anywhere in a matrix, in the order of their lanes. */
const rowsOf = ({ hosts, relays }: Story, named: ReadonlySet<string>): readonly string[] =>
  hosts.filter((host) => named.has(host) && !relays.includes(host))

/** Which machine could open the messages of which epoch with what it has at the end; nothing without epochs. */
export function epochMatrix(story: Story): Figure | undefined {
  const all = busiest(story.inside.epochs).toSorted((a, b) => a.depth - b.depth || a.begunMs - b.begunMs)
  const drawn = all.length > columnsAtMost ? all.slice(-columnsAtMost) : all
  if (drawn.length === 0) return undefined
  const hosts = rowsOf(story, new Set(drawn.flatMap(({ listed, keys }) => [...listed, ...keys.keys()])))
  const { divisor, unit } = axisUnit(story.endMs - story.workloadMs)
  const cells = drawn.flatMap((epoch, column) =>
    hosts.map((host) => ({ host, column, state: epochState(epoch, host) })),
  )
  const wrong = cells.filter(({ state }) => isWrong(state)).length
  const ticks = drawn.map(({ begunMs }) => ((begunMs - story.workloadMs) / divisor).toFixed(1))
  const left = all.length - drawn.length
  return {
    name: 'readability',
    title: 'Which device could open which epoch',
    caption: `One column an epoch of the group that has most of them, in their order${left > 0 ? ` (the last ${drawn.length} of ${all.length})` : ''}; one row a device, by what its disk holds at the end. An epoch lists the devices it is for; a device that is not listed and has its keys would be a red cross: there ${wrong === 1 ? 'is' : 'are'} ${wrong === 0 ? 'none' : wrong}. Times are by the author’s clock, which may be wrong.`,
    svg: matrix(cells, epochLooks, { hosts, ticks, label: `${unit} since faults began` }),
    rows: cells.map(({ host, column, state }) => ({
      epoch: drawn[column]?.epoch.slice(0, 8) ?? '',
      begunMs: drawn[column]?.begunMs ?? 0,
      author: drawn[column]?.author ?? '',
      host,
      state,
    })),
  }
}

/** Messages one after the other that are for the same devices. */
function runsOf(written: readonly Written[]): readonly (readonly Written[])[] {
  const runs: Written[][] = []
  let before = ''
  for (const one of written) {
    const audience = `${[...one.readers].sort().join()} ${[...one.out].sort().join()}`
    if (audience !== before) runs.push([])
    runs.at(-1)?.push(one)
    before = audience
  }
  return runs
}

/** Which device was to read what was said in the busiest group, and which shows it; nothing when nothing was said in one. */
export function audienceMatrix(story: Story): Figure | undefined {
  const { written, shown } = story.inside
  const said = busiest(written.filter(({ group }) => group))
  const all = runsOf(said)
  const drawn = all.slice(-columnsAtMost)
  if (drawn.length === 0) return undefined
  const named = new Set(said.flatMap(({ from, readers, out }) => [from, ...readers, ...out]))
  const hosts = rowsOf(story, named)
  const { divisor, unit } = axisUnit(story.endMs - story.workloadMs)
  const cells = drawn.flatMap((run, column) =>
    hosts.map((host) => ({ host, column, state: messageState(run, host, shown.get(host) ?? new Set()) })),
  )
  const wrong = cells.filter(({ state }) => isWrong(state)).length
  const began = (run: readonly Written[]): number => run[0]?.atMs ?? 0
  const ticks = drawn.map((run) => ((began(run) - story.workloadMs) / divisor).toFixed(1))
  const left = all.length - drawn.length
  return {
    name: 'audience',
    title: 'Who was to read what, and who shows it',
    caption: `The group most was said in: ${said.length} messages, the first at ${duration(began(said) - story.workloadMs)}. One column as many messages in a row as were for the same devices${left > 0 ? ` (the last ${drawn.length} of ${all.length})` : ''}, as the device that wrote them held its members to be. A device that was out, as the author’s device knew, and shows one all the same would be a red cross: there ${wrong === 1 ? 'is' : 'are'} ${wrong === 0 ? 'none' : wrong}.`,
    svg: matrix(cells, messageLooks, { hosts, ticks, label: `written, ${unit} since faults began` }),
    rows: cells.map(({ host, column, state }) => ({
      fromMs: began(drawn[column] ?? []),
      messages: drawn[column]?.length ?? 0,
      host,
      state,
    })),
  }
}

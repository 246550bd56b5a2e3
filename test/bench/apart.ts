/**
 * Times contenders in a process each, by turns, so that one is not charged for the heap another left: the collector's
 * threads count as processor time. A contender's process sets up that contender alone.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { inTurns, samplerOf, type Pace, type Sampler } from './sample.ts'
import type { Row } from './row.ts'

/** Where a contender stands. */
export interface Place {
  readonly file: string
  readonly row: number
  readonly contender: number
}

const variable = 'SOTTO_BENCH_CONTENDER'

/** Which contender this process is for; undefined where it is the one that asks. */
export function ownPlace(): Place | undefined {
  const told = process.env[variable]
  return told === undefined ? undefined : (JSON.parse(told) as Place)
}

/** Answers each number of a round with a sample until the asker goes. */
export async function serve(row: Row, place: Place, pace: Pace): Promise<void> {
  const contender = row.kind === 'time' ? row.contenders[place.contender] : undefined
  if (contender === undefined) throw new Error('no such contender')
  const sample = await samplerOf(contender, pace)
  process.on('message', (round) => void sample(Number(round)).then((value) => process.send?.(value)))
  process.send?.('ready')
  await once(process, 'disconnect')
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const stop = new AbortController()
  const { signal } = stop
  try {
    const [answer] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`a contender ended with code ${String(code)}`)
      }),
    ])) as readonly unknown[]
    return answer
  } finally {
    stop.abort()
  }
}

async function begin(place: Place): Promise<ChildProcess> {
  const child = fork(process.argv[1] ?? '', { env: { ...process.env, [variable]: JSON.stringify(place) } })
  await answerOf(child)
  return child
}

const samplerAt =
  (child: ChildProcess): Sampler =>
  async (round) => {
    child.send(round)
    return Number(await answerOf(child))
  }

/** Times a row, `file`'s row number `row`, a process a contender. */
export async function timesApart(
  file: string,
  row: number,
  contenders: number,
  { rounds }: Pace,
): Promise<readonly number[]> {
  const children: ChildProcess[] = []
  try {
    for (let i = 0; i < contenders; i++) children.push(await begin({ file, row, contender: i }))
    return await inTurns(children.map(samplerAt), rounds)
  } finally {
    for (const child of children) child.disconnect()
  }
}

/** Two real nodes on loopback: start-up, memory, durable messages a second, latency to the receipt. */
import { readFileSync } from 'node:fs'
import { nodeLimits } from '../../packages/node/src/limits.ts'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode } from '../support/real-node.ts'

const streamed = 5_000
/** Messages sent one at a time: right after the start, when everything is slower, and then. */
const cold = 200
const warm = 1_000

/** Resident memory of a process in MiB, as Linux accounts it. */
function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1_024
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN

async function connect(ada: RealNode, bob: RealNode): Promise<string> {
  const { link } = await ada.face.dispatch('create-invite', { direct: true })
  const { conversationId } = await bob.face.dispatch('add', { link })
  await bob.until(async () =>
    (await bob.face.view('contacts', {})).some(({ state }) => state === 'connected'),
  )
  return conversationId
}

/** Messages a second from the first send to the last one's durable arrival, as many under way as a face may have. */
async function stream(from: RealNode, to: RealNode, conversationId: string): Promise<number> {
  let left = streamed
  const arrived = Promise.withResolvers<undefined>()
  const stop = to.face.subscribe((event) => {
    if (event.type === 'message' && !event.message.author.me && --left === 0) arrived.resolve(undefined)
  })
  const startMs = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < streamed)
      await from.face.dispatch('send', {
        conversationId,
        text: `message number ${next++} of one hundred bytes or so`.padEnd(100, '.'),
      })
  }
  await Promise.all(Array.from({ length: nodeLimits.parallelRequests }, lane))
  await arrived.promise
  stop()
  return (streamed * 1_000) / (performance.now() - startMs)
}

/** Milliseconds from a send to the recipient's signed acknowledgement being durable here, one at a time. */
async function latencies(from: RealNode, conversationId: string, single: number): Promise<readonly number[]> {
  const found: number[] = []
  for (let i = 0; i < single; i++) {
    const delivered = Promise.withResolvers<undefined>()
    const stop = from.face.subscribe((event) => {
      if (event.type === 'state' && event.state === 'delivered') delivered.resolve(undefined)
    })
    const startMs = performance.now()
    await from.face.dispatch('send', { conversationId, text: `single ${i}` })
    await delivered.promise
    found.push(performance.now() - startMs)
    stop()
  }
  return found.toSorted((a, b) => a - b)
}

interface Figure {
  readonly name: string
  readonly value: string
  readonly target?: string
}

const judged = (met: boolean, target: string): string => `${target} ${met ? 'met' : 'MISSED'}`

async function measure(ada: RealNode, bob: RealNode): Promise<readonly Figure[]> {
  await ada.begin('Ada')
  await bob.begin('Bob')
  await ada.end()
  const startMs = performance.now()
  await ada.up()
  const readyMs = performance.now() - startMs
  const idleMiB = residentMiB(ada.pid)
  const conversationId = await connect(ada, bob)
  const first = await latencies(bob, conversationId, cold)
  const later = await latencies(bob, conversationId, warm)
  const perSecond = await stream(bob, ada, conversationId)
  const median = quantile(later, 0.5)
  return [
    { name: 'start of the process to ready', value: `${readyMs.toFixed(0)} ms` },
    { name: 'resident memory of an idle node', value: `${idleMiB.toFixed(0)} MiB` },
    {
      name: 'messages a second, one way',
      value: perSecond.toFixed(0),
      target: judged(perSecond >= 1_000, '≥ 1000'),
    },
    {
      name: 'send to signed acknowledgement, median',
      value: `${median.toFixed(1)} ms`,
      target: judged(median <= 10, '≤ 10 ms'),
    },
    { name: 'the same, 99 of 100', value: `${quantile(later, 0.99).toFixed(1)} ms` },
    {
      name: `the same, median of the first ${cold} after the start`,
      value: `${quantile(first, 0.5).toFixed(1)} ms`,
    },
    { name: 'of these, 99 of 100', value: `${quantile(first, 0.99).toFixed(1)} ms` },
  ]
}

const folder = temporaryFolder()
const [ada, bob] = [new RealNode(`${folder.path}/ada`), new RealNode(`${folder.path}/bob`)]
try {
  const figures = await measure(ada, bob)
  console.log(
    '### two nodes, each a process of its own, on loopback TCP; every message durable at both ends\n',
  )
  console.log('| figure | value | target |\n| --- | ---: | --- |')
  for (const { name, value, target = '' } of figures) console.log(`| ${name} | ${value} | ${target} |`)
} finally {
  await Promise.all([ada.end(), bob.end()])
  folder.remove()
}

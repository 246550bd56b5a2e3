import { expect } from 'chai'
import type { ConversationView, DeviceEvent, HistoryView, MemberView, MessageView } from '@sotto/core'
import { createNodeProvider } from '@sotto/core/crypto-node'
import type { CryptoProvider } from '@sotto/core/crypto'
import type { Network } from '@sotto/core/ports'
import { encodeCbor, fromBase32, utf8 } from '@sotto/core/wire'
import type { Machine, SpoilDevice, SpoilNetwork } from '../../simulations/actors/machine.ts'
import { answerAll } from '../../simulations/cli/answer-all.ts'
import { drawnSeeds, readCorpus } from '../../simulations/cli/ci.ts'
import { SealRecorder } from '../../simulations/laws/recorder.ts'
import { exitCodeOf, exitCodes, isIdle, summarise, worstOf } from '../../simulations/report/summary.ts'
import { readSeed, readSeeds } from '../../simulations/report/seeds.ts'
import { lostPhone } from '../../simulations/scenarios/lost-phone.ts'
import { partitionHeal } from '../../simulations/scenarios/partition-heal.ts'
import { runScenario, type RunOptions, type RunResult } from '../../simulations/scenarios/run.ts'
import { portOver } from '../support/port-over.ts'

describe('simulations', function () {
  this.timeout(180_000)
  let crypto: CryptoProvider
  before(async () => {
    crypto = await createNodeProvider()
  })
  const run = (seed: bigint, hours: number, more: Partial<RunOptions> = {}): Promise<RunResult> =>
    runScenario(partitionHeal, { seed, hours, crypto, ...more })

  const small = {
    users: 2,
    devices: 3,
    groups: 1,
    relays: 1,
    messageEveryMs: 4 * 60_000,
    deviceChangeEveryMs: null,
  }
  const planted = (more: Partial<RunOptions>): Promise<RunResult> => run(5n, 0.5, { plan: small, ...more })

  it('give one trace for one seed, line by line, and another for another', async () => {
    const lines: string[][] = [[], []]
    const results: RunResult[] = []
    for (const to of lines) results.push(await run(2n, 1, { plan: small, line: (line) => to.push(line) }))
    expect(lines[0]).to.deep.equal(lines[1])
    expect(lines[0]!.length).to.be.above(100)
    expect(results[0]).to.deep.equal(results[1])
    expect((await planted({})).traceHash).to.not.equal(results[0]!.traceHash)
  })

  it('settle soon after half a day of splits (seed 4 once slept through the heal)', async () => {
    const plan = { users: 3, devices: 4, groups: 1, messageEveryMs: 2 * 60 * 60_000 }
    const result = await run(4n, 12, { plan })
    expect(result.violations).to.deep.equal([])
    expect(exitCodeOf(result)).to.equal(exitCodes.held)
    expect(result.convergedMs).to.be.below(5 * 60_000)
  })

  it('see what never arrives: not settled, and lost', async () => {
    const result = await planted({ plantNetwork: fallsSilent })
    expect(result.violated).to.include.members(['converged', 'no-loss'])
    expect(exitCodeOf(result)).to.equal(exitCodes.safety)
  })

  it('see a message told twice', async () => {
    const result = await planted({ plantDevice: tellsTwice })
    expect(result.violated).to.include('no-duplicate')
    expect(exitCodeOf(result)).to.equal(exitCodes.safety)
  })

  it('see a message that is accepted and never sent', async () => {
    const result = await planted({ plantDevice: swallows })
    expect(result.violated).to.include('no-loss')
    expect(result.lost).to.be.above(0)
  })

  it('see words put into the mouth of another', async () => {
    const result = await planted({ plantDevice: misattributes })
    expect(result.violated).to.include('authenticity')
  })

  it('see a rung of the ladder claimed too early', async () => {
    const result = await planted({ plantDevice: boasts })
    expect(result.violated).to.include('ladder-honesty')
  })

  for (const [what, secret] of [
    ['name', (machine: Machine) => utf8(machine.fullName)],
    ['account id in base32', (machine: Machine) => utf8(machine.accountId)],
    ['device id as bytes', (machine: Machine) => fromBase32(machine.deviceId) ?? new Uint8Array()],
  ] as const)
    it(`see a ${what} in clear`, async () => {
      const result = await planted({
        plantNetwork: (network, machine) => leaks(network, () => secret(machine)),
      })
      expect(result.violated).to.deep.equal(['ciphertext-only-outside'])
      expect(exitCodeOf(result)).to.equal(exitCodes.safety)
    })

  for (const [what, view, change, law] of [
    ['another member than others do', 'members', (members: unknown[]) => members.slice(1), 'same-members'],
    ['a title of its own', 'conversations', retitled, 'authenticity'],
    ['an export of its own', 'export', emboldened, 'same-history'],
  ] as const)
    it(`see a device that shows ${what}`, async () => {
      const result = await planted({ plantDevice: answersOtherwise('user0-2', view, change) })
      expect(result.violated).to.include(law)
    })

  it('see a device that is spoken to and was announced to nobody', async () => {
    const result = await planted({ plantDevice: hidesNewDevices })
    expect(result.violated).to.include('nobody-silent')
  })

  it('see pictures of linking that differ', async () => {
    const result = await planted({ plantDevice: showsOtherPictures })
    expect(result.violated).to.deep.equal(['same-pictures'])
    expect(result.crash).to.include('could not link')
  })

  it('see somebody read on whose removal the author knew', async () => {
    const forgetful = answersOtherwise('user1-1', 'members', laterAlone())
    const plan = { ...small, messageEveryMs: 60_000 }
    const result = await planted({ plan, plantDevice: forgetful })
    expect(result.violated).to.include('removed-blind')
  })

  it('see edits and deletions that are accepted and never sent', async () => {
    const plan = { ...small, messageEveryMs: 30_000 }
    const result = await planted({ plan, plantDevice: swallowsChanges })
    expect(result.violated).to.include('no-loss')
  })

  it('see reactions that nobody gave', async () => {
    const result = await planted({ plantDevice: answersOtherwise('user0-1', 'history', adorned) })
    expect(result.violated).to.include('authenticity')
  })

  it('see words of a thief that count after the removal of the device', async () => {
    const result = await runScenario(lostPhone, {
      seed: 5n,
      hours: 1,
      crypto,
      plan: small,
      plantDevice: believesAll,
    })
    expect(result.violated).to.include('removed-mute')
  })

  it('see the key of a generation seal two texts', () => {
    const recorder = new SealRecorder('prefix', 8)
    const wrapped = recorder.wrap(crypto)
    const bytes = new Uint8Array(32)
    const associated = encodeCbor([bytes, bytes, bytes, bytes, 7])
    for (const n of [1, 2]) wrapped.seal(bytes, new Uint8Array(24).fill(n), Uint8Array.of(n), associated)
    expect(recorder.reusedMessageKeys((suspects) => new Set(suspects))).to.equal(1)
  })

  it('see a nonce used twice under one key', () => {
    const recorder = new SealRecorder('prefix', 8)
    const wrapped = recorder.wrap(crypto)
    const [key, nonce] = [new Uint8Array(32).fill(1), new Uint8Array(24).fill(2)]
    for (const text of [1, 2]) wrapped.seal(key, nonce, Uint8Array.of(text), new Uint8Array())
    expect(recorder.reusedPairs).to.equal(1)
  })

  it('count a message key as reused only when both ciphertexts left', () => {
    const recorder = new SealRecorder('prefix', 8)
    const wrapped = recorder.wrap(crypto)
    const [header, message] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    for (const n of [1, 2]) {
      wrapped.seal(header, new Uint8Array(24).fill(n), Uint8Array.of(n), new Uint8Array())
      wrapped.seal(message, new Uint8Array(24).fill(n), Uint8Array.of(n), new Uint8Array())
    }
    expect(recorder.reusedMessageKeys((suspects) => new Set(suspects.slice(0, 1)))).to.equal(0)
    expect(recorder.reusedMessageKeys((suspects) => new Set(suspects))).to.equal(1)
  })

  it('name the worst of a sweep and the faults that never struck', async () => {
    const result = await planted({})
    const summary = summarise(partitionHeal, [{ ...result, faults: { partition: 2 } }])
    expect(summary.idleFaults).to.include('crash').and.not.include('partition')
    expect(isIdle(summary), 'a sweep in which something never happened').to.equal(true)
    const all = Object.fromEntries([...partitionHeal.expects, ...partitionHeal.acts].map((kind) => [kind, 1]))
    const full = (more: Partial<RunResult>): boolean =>
      isIdle(summarise(partitionHeal, [{ ...result, faults: all, acts: all, ...more }]))
    expect(full({})).to.equal(false)
    expect(full({ acts: { ...all, edit: 0 } }), 'nobody edited').to.equal(true)
    expect(full({ faults: { ...all, crash: 0 } }), 'nothing crashed').to.equal(true)
    expect(worstOf([exitCodes.held, exitCodes.idle])).to.equal(exitCodes.idle)
    expect(exitCodeOf({ ...result, crash: 'TypeError' })).to.equal(exitCodes.crash)
    expect(exitCodeOf({ ...result, violated: ['converged'] })).to.equal(exitCodes.liveness)
    expect(worstOf([exitCodes.held, exitCodes.liveness, exitCodes.safety])).to.equal(exitCodes.safety)
    expect(worstOf([exitCodes.held])).to.equal(exitCodes.held)
  })

  it('draw seeds from a commit: the same for the same one, others for the next', () => {
    const drawn = drawnSeeds('abc', 'partition-heal', 5)
    expect(new Set(drawn).size).to.equal(5)
    expect(drawnSeeds('abc', 'partition-heal', 5)).to.deep.equal(drawn)
    expect(drawnSeeds('abd', 'partition-heal', 5)).to.not.deep.equal(drawn)
    expect(drawnSeeds('abc', 'offline-sync', 5)).to.not.deep.equal(drawn)
    expect(drawn.map(readSeed)).to.not.include(undefined)
  })

  it('know a corpus that says what its seeds were kept for, and no other', () => {
    const kept = { scenario: 'lost-phone', seed: '3', hours: 0.5, why: 'a removal that came undone unseen' }
    const corpus = {
      hours: 0.5,
      fixed: '1..2,7',
      brief: [{ scenario: 'churn', seed: '2' }],
      drawn: 5,
      kept: [kept],
    }
    expect(readCorpus(JSON.stringify(corpus)).kept[0]).to.deep.equal({ ...kept, set: [] })
    for (const wrong of [
      { ...corpus, fixed: '2..1' },
      { ...corpus, more: 1 },
      { ...corpus, brief: [{ scenario: 'churns', seed: '2' }] },
      { ...corpus, kept: [{ ...kept, why: '' }] },
      { ...corpus, kept: [{ ...kept, scenario: 'lost-phones' }] },
      { ...corpus, kept: [{ ...kept, seed: '-1' }] },
    ])
      expect(() => readCorpus(JSON.stringify(wrong))).to.throw()
  })

  it('stop a sweep when its minutes are spent, and after a failure when asked to', async () => {
    const recipe = { scenario: 'partition-heal', hours: 0.02, set: ['users=2', 'devices=2'], plantBug: null }
    const jobs = ['1', '2', '3'].map((seed) => ({ recipe, seed, verify: false }))
    const spent = await answerAll(jobs, { jobs: '1', budget: '0' })
    expect(spent.done).to.deep.equal([])
    expect(spent.codes).to.include(exitCodes.budget)
    const broken = { ...(await answerAll([jobs[0]!], { jobs: '1' })).done[0]!.result, crash: 'TypeError' }
    const first = await answerAll(jobs, { jobs: '1', failFast: true }, broken)
    expect(first.done).to.have.length(1)
    expect(first.codes).to.deep.equal([exitCodes.crash])
  })

  it('read seeds below 2^64 and ranges of them', () => {
    expect(readSeed('18446744073709551615')).to.equal(2n ** 64n - 1n)
    for (const bad of ['18446744073709551616', '-1', '1.5', '']) expect(readSeed(bad)).to.equal(undefined)
    expect(readSeeds('3..5')).to.deep.equal([3n, 4n, 5n])
    expect(readSeeds('1..2,7')).to.deep.equal([1n, 2n, 7n])
    for (const bad of ['5..3', '1..2..3', 'a..b', '1..b', '1,', '..2', '1..100001', '1..60000,1..60000'])
      expect(readSeeds(bad), bad).to.equal(undefined)
  })
})

/** Takes every frame after the first two dozen and sends none. */
const fallsSilent: SpoilNetwork = (network) => {
  let written = 0
  return portOver(network, {
    write: async (channel, frame) => (written++ < 24 ? network.write(channel, frame) : undefined),
  })
}

/** Says something it should not on a topic, with every frame. */
const leaks = (network: Network, secret: () => Uint8Array): Network =>
  portOver(network, {
    write: async (channel, frame) => {
      await network.publish('debug', Uint8Array.from([7, ...secret(), 7]))
      await network.write(channel, frame)
    },
  })

/** Calls everything delivered as soon as it is sent. */
const boasts: SpoilDevice = (device) => {
  let tell: Parameters<typeof device.subscribe>[0] = () => undefined
  let seq = 0
  return {
    ...faceOf(device),
    subscribe: (listener) => {
      tell = listener
      return device.subscribe((event) => {
        seq = event.seq
        listener(event)
      })
    },
    dispatch: async (name: string, input: unknown) => {
      const sent = await device.dispatch(name as 'send', input as never)
      // The claim comes once the sender has its answer, and before any network could have carried the message.
      if (name === 'send')
        setImmediate(() => {
          const { messageId, conversationId } = sent
          tell({ type: 'state', seq: seq + 0.5, atMs: 0, messageId, conversationId, state: 'delivered' })
        })
      return sent
    },
  }
}

/** A face that passes every message on twice, the second time as a new event. */
const tellsTwice: SpoilDevice = (device) => ({
  ...faceOf(device),
  subscribe: (listener: Parameters<typeof device.subscribe>[0]) =>
    device.subscribe((event) => {
      listener(event)
      if (event.type === 'message') listener({ ...event, seq: event.seq + 0.5 })
    }),
})

/** Says yes to a send and forgets it. */
const swallows: SpoilDevice = (device) => ({
  ...faceOf(device),
  dispatch: async (name: string, input: unknown) => {
    if (name !== 'send') return device.dispatch(name as 'send', input as never)
    return { messageId: 'nowhere' } as MessageView
  },
})

type Change = (value: never) => unknown

/** One machine answers one query otherwise than it should. */
const answersOtherwise =
  (name: string, view: string, change: Change): SpoilDevice =>
  (device, machine) =>
    machine.name !== name
      ? device
      : {
          ...faceOf(device),
          view: async (query: string, input: unknown) => {
            const answer: unknown = await device.view(query as 'self', input as never)
            return (query === view ? change(answer as never) : answer) as never
          },
        }

function retitled(views: readonly ConversationView[]): readonly ConversationView[] {
  return views.map((view) => ({ ...view, name: 'a title nobody gave' }))
}

function emboldened({ json }: { readonly json: string }): { readonly json: string } {
  return { json: json.replaceAll('"text":"', '"text":"! ') }
}

const adorned = (page: HistoryView): HistoryView => ({
  ...page,
  messages: page.messages.map((message) => ({
    ...message,
    reactions: [{ emoji: '🦄', by: [message.author.accountId] }],
  })),
})

/** After a while everybody else is left out, as if they had been removed. */
function laterAlone(): (members: readonly MemberView[]) => readonly MemberView[] {
  let asked = 0
  return (members) => (asked++ < 3 ? members : members.filter(({ me }) => me))
}

const heardOtherwise =
  (change: (event: DeviceEvent) => DeviceEvent | undefined): SpoilDevice =>
  (device) => ({
    ...faceOf(device),
    subscribe: (listener) =>
      device.subscribe((event) => {
        const changed = change(event)
        if (changed !== undefined) listener(changed)
      }),
  })

/** Takes new devices in and tells nobody. */
const hidesNewDevices = heardOtherwise((event) =>
  event.type === 'device' && event.change === 'added' ? undefined : event,
)

const showsOtherPictures = heardOtherwise((event) =>
  event.type === 'link' && event.state === 'compare' ? { ...event, emoji: ['bee'] } : event,
)

/** Says yes to edits and deletions and forgets them. */
const swallowsChanges: SpoilDevice = (device) => ({
  ...faceOf(device),
  dispatch: async (name: string, input: unknown) =>
    (name === 'edit' || name === 'delete'
      ? {}
      : await device.dispatch(name as 'send', input as never)) as never,
})

/** Shows everything as if it counted. */
const believesAll: SpoilDevice = (device) => ({
  ...faceOf(device),
  view: async (query: string, input: unknown) => {
    const answer: unknown = await device.view(query as 'self', input as never)
    if (query !== 'history') return answer as never
    const page = answer as HistoryView
    return { ...page, messages: page.messages.map((message) => ({ ...message, outside: null })) } as never
  },
})

/** Shows every message as one of one's own. */
const misattributes: SpoilDevice = (device, machine) => ({
  ...faceOf(device),
  subscribe: (listener) =>
    device.subscribe((event) => {
      if (event.type !== 'message') {
        listener(event)
        return
      }
      const author = { ...event.message.author, accountId: machine.accountId }
      listener({ ...event, message: { ...event.message, author } })
    }),
})

const faceOf = (device: Parameters<SpoilDevice>[0]): Parameters<SpoilDevice>[0] => ({
  halted: device.halted,
  dispatch: (name, input) => device.dispatch(name, input),
  view: (name, input) => device.view(name, input),
  subscribe: (listener) => device.subscribe(listener),
  start: () => device.start(),
  stop: () => device.stop(),
  tick: () => {
    device.tick()
  },
})

/** Who is in a group: a member goes, keys heal, and two sides of a partition become one again. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import { loadMls, type MembershipPeer, type Suite } from '../membership-peer.ts'
import { removal } from '../own-group.ts'
import { partition } from '../own-partition.ts'
import type { Contender, MakeRows, Row } from '../row.ts'

const groupSizes = [8, 32, 128] as const

/** A warm group of 128 takes minutes to found: `BENCH_WARM=128`. */
const warmUpTo = Number(process.env['BENCH_WARM'] ?? 32)

/**
 * DCGKA (Weidner et al., CCS 2021), bytes all members send for one removal and one update: medians of the raw figures
 * in the authors' repository trvedata/key-agreement, `evaluation/`. Published, not measured here; not post-quantum.
 */
const dcgka: Readonly<Record<number, { readonly remove: number; readonly update: number }>> = {
  8: { remove: 2_105, update: 2_389 },
  32: { remove: 9_738, update: 10_022 },
  128: { remove: 40_269, update: 40_553 },
}

const each = (name: string, prepare: () => Promise<() => unknown>): Contender => ({
  name,
  prepare: async () => {
    const act = await prepare()
    return async (times) => {
      for (let i = 0; i < times; i++) await act()
    }
  },
})

interface Other {
  readonly name: string
  readonly found: () => Promise<MembershipPeer>
}

const mlsGroups = (n: number): readonly Other[] =>
  (['X25519', 'X-Wing'] satisfies readonly Suite[]).flatMap((suite) =>
    (n <= warmUpTo ? [false, true] : [false]).map((warm) => ({
      name: `ts-mls 1.6.4, ${suite}, ${warm ? 'warm' : 'cold'}`,
      found: async () => (await loadMls()).makeGroup(suite, n, warm),
    })),
  )

async function rowsOf(n: number): Promise<readonly Row[]> {
  const crypto = await createNodeProvider()
  const others = mlsGroups(n)
  const targets = Object.fromEntries(others.map(({ name }) => [name, 1]))
  const published = dcgka[n]
  const sizes = async (what: 'remove' | 'update') => {
    const { least, bare, sent } = removal(crypto, what === 'remove' ? n - 1 : n).commit()
    const peers = await Promise.all(
      others.map(async ({ name, found }) => ({ name, bytes: await (await found())[what]() })),
    )
    return [
      { name: 'Sotto, before padding', bytes: bare },
      { name: 'Sotto, as sent', bytes: sent },
      { name: 'Sotto, were the record said once, before padding', bytes: least },
      ...peers,
      ...(published === undefined ? [] : [{ name: 'DCGKA, published', bytes: published[what] }]),
    ]
  }
  const reach = published === undefined ? {} : { target: published.remove }
  return [
    {
      kind: 'time',
      title: `one of ${String(n)} devices is removed, at who does it: record, keys, a sealed seed for each other device, rows`,
      contenders: [
        each('Sotto', async () => removal(crypto, n - 1).commit),
        ...others.map(({ name, found }) => each(name, async () => (await found()).remove)),
      ],
      targets,
    },
    {
      kind: 'time',
      title: `one of ${String(n)} devices is removed, at another: record judged, keys, rows (our session not counted)`,
      contenders: [
        each('Sotto', async () => removal(crypto, n - 1).join),
        ...others.map(({ name, found }) => each(name, async () => (await found()).receive)),
      ],
      targets,
    },
    {
      kind: 'bytes',
      title: `one of ${String(n)} devices is removed: bytes`,
      sizes: () => sizes('remove'),
      ...reach,
    },
    {
      kind: 'bytes',
      title: `fresh keys for a group of ${String(n)} devices: bytes`,
      sizes: () => sizes('update'),
    },
  ]
}

/** Row 8 of the aims: 64 accounts, two sides, 16 changes each, the first of both about the same member. */
function healing(): readonly Row[] {
  const { union, exchanged, heal } = partition()
  return [
    {
      kind: 'bytes',
      title: 'after a partition (64 accounts, 16 changes a side): bytes both sides say, in one round trip',
      sizes: () => [
        { name: 'Sotto', bytes: exchanged },
        { name: 'the changes and newcomers alone', bytes: union },
      ],
      target: Math.floor(1.2 * union),
    },
    {
      kind: 'time',
      title:
        'after a partition (64 accounts, 16 changes a side): both sides take the other in and agree on members',
      contenders: [each('Sotto, both sides', async () => heal)],
    },
  ]
}

export const rows: MakeRows = async () => {
  const all: Row[] = []
  for (const n of groupSizes) all.push(...(await rowsOf(n)))
  return [...all, ...healing()]
}

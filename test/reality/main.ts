/**
 * The simulator's model held against real libp2p: each seed's script is played in the model, over libp2p's memory
 * transport and over TCP on loopback, and must end alike. `SOTTO_REALITY_SEEDS` says how many seeds (20). Other places
 * are named as arguments: `namespaces`, where each host has a process and a network namespace of its own, and is root's.
 */
import { loadavg } from 'node:os'
import { compareSeed } from './compare.ts'

const seeds = Number(process.env['SOTTO_REALITY_SEEDS'] ?? 20)
const known = ['memory', 'tcp', 'namespaces'] as const
const asked = known.filter((name) => process.argv.includes(name))
const real = asked.length === 0 ? (['memory', 'tcp'] as const) : asked
const names = ['model', ...real]
const totals: Record<string, Record<string, number>> = {}
let differ = 0
const began = performance.now()
for (let seed = 1; seed <= seeds; seed++) {
  const { places, differences } = await compareSeed(BigInt(seed), real)
  differ += differences.length
  for (const { name, tally } of places)
    for (const [kind, times] of Object.entries(tally)) {
      const row = (totals[kind] ??= {})
      row[name] = (row[name] ?? 0) + times
    }
  const took = places.map(({ name, realMs }) => `${name} ${(realMs / 1_000).toFixed(1)} s`).join(', ')
  process.stdout.write(
    `seed ${seed}: ${differences.length === 0 ? 'alike' : differences.join('; ')} (${took})\n`,
  )
}
for (const [kind, row] of Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1)))
  process.stdout.write(`${kind.padEnd(28)} ${names.map((name) => `${name} ${row[name] ?? 0}`).join(', ')}\n`)
process.stdout.write(
  `${seeds} seeds, ${differ} differences, ${((performance.now() - began) / 1_000).toFixed(0)} s, load ${loadavg()[0]?.toFixed(1) ?? ''}\n`,
)
process.exitCode = differ === 0 ? 0 : 1

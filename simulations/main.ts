import { Command, CommanderError } from 'commander'
import { commandCi, type CiFlags } from './cli/ci.ts'
import { commandRun, commandWork, type RunFlags } from './cli/run.ts'
import { commandReplay, type ReplayFlags } from './cli/replay.ts'
import { commandShrink, type ShrinkFlags } from './cli/shrink.ts'
import { commandDiff } from './cli/diff.ts'
import { commandSweep, type SweepFlags } from './cli/sweep.ts'
import { scaffold, type NewFlags } from './cli/scaffold.ts'
import { Refused } from './cli/refused.ts'
import { exitCodes } from './report/summary.ts'
import { UnknownHost } from './scenarios/planned.ts'
import { missingDrills } from './scenarios/drills.ts'
import { catalogue } from './scenarios/catalogue.ts'

function commandList(flags: { readonly json?: boolean }): number {
  if (flags.json === true)
    process.stdout.write(
      `${JSON.stringify([...catalogue.map(({ name, claim }) => ({ name, claim })), ...missingDrills.map(({ name, claim, why }) => ({ name, claim, notRun: why }))])}\n`,
    )
  else {
    for (const { name, claim } of catalogue) process.stdout.write(`${name}\n  ${claim}\n`)
    for (const { name, claim, why } of missingDrills)
      process.stdout.write(`${name} (not run: ${why})\n  ${claim}\n`)
  }
  return exitCodes.held
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** Options that say what is run. */
const withRecipe = (command: Command): Command =>
  command
    .option('--hours <h>', 'virtual hours of workload and faults (24, or what the file says)')
    .option('--set <name=value>', 'sets what the seed would draw; may be repeated', collect, [])
    .option('--plant-bug <name>', 'breaks one line of the product while it is loaded')

async function main(args: readonly string[]): Promise<number> {
  let code: number = exitCodes.held
  const program = new Command('sotto-sim').description('runs Sotto in worlds of virtual time').exitOverride()
  program
    .command('list')
    .description('the scenarios and what each proves')
    .option('--json', 'one JSON value')
    .action((flags: { json?: boolean }) => {
      code = commandList(flags)
    })
  withRecipe(program.command('run <scenario>').description('runs one seed, or a sweep of seeds'))
    .option('--seed <n>', 'one seed (default 1)')
    .option('--seeds <a..b>', 'a sweep, both ends included')
    .option('--jobs <n>', 'processes that share a sweep', '1')
    .option('--json', 'one JSON object a seed, then the summary of a sweep')
    .option('--verify', 'runs each seed twice and compares the trace hashes')
    .option('--out <dir>', 'writes results, trace, report and numbers there')
    .option('--open', 'opens the report; --out is results/SCENARIO unless given')
    .option('--trace <file>', 'writes every event of one seed, a JSON object a line')
    .option('--all-happens', 'fails when a fault or an act of the scenario never happened')
    .option('--budget <min>', 'starts no further seed after so many minutes')
    .option('--fail-fast', 'starts no further seed after one that failed')
    .action(async (scenario: string, flags: RunFlags) => {
      code = await commandRun(scenario, flags)
    })
  program
    .command('ci')
    .description('what every commit is tried with: the seeds of corpus.json, and some of its own')
    .option('--drawn <n>', 'seeds of each scenario that the commit draws (as corpus.json says)')
    .option('--commit <hash>', 'whose seeds are drawn (the one that is checked out)')
    .option('--jobs <n>', 'processes that share the seeds', '2')
    .option('--json', 'one JSON object a seed')
    .option('--budget <min>', 'starts no further seed after so many minutes')
    .option('--fail-fast', 'starts no further seed after one that failed')
    .action(async (flags: CiFlags) => {
      code = await commandCi(flags)
    })
  program
    .command('work', { hidden: true })
    .option('--plant-bug <name>')
    .action(async () => {
      code = await commandWork()
    })
  program
    .command('new')
    .description('prints a scenario to change, with everything a seed draws')
    .option('--from <scenario>', 'the one to begin with', 'partition-heal')
    .option('--seed <n>', 'whose draws are written down', '1')
    .option('--hours <h>', 'virtual hours', '6')
    .action((flags: NewFlags) => {
      process.stdout.write(scaffold(flags))
    })
  program
    .command('replay <failure>')
    .description('runs a failed seed again, to the end or to a moment')
    .option('--until <time>', 'ends there and tells how things stand, such as 31.2s or 5h')
    .option('--inspect <who>', 'with --until: one device, its conversations, and what befell it last')
    .option('--json', 'one JSON object')
    .action(async (file: string, flags: ReplayFlags) => {
      code = await commandReplay(file, flags)
    })
  program
    .command('shrink <failure>')
    .description('looks for less that still breaks the same law')
    .option('--runs <n>', 'tries at most so many', '100')
    .action(async (file: string, flags: ShrinkFlags) => {
      code = await commandShrink(file, flags)
    })
  withRecipe(program.command('sweep <scenario>').description('varies settings over the same seeds'))
    .option('--vary <name=values>', 'a,b,c or from..to:step; may be repeated', collect, [])
    .option('--repeat <n>', 'seeds for each combination', '10')
    .option('--seed <n>', 'the first of them', '1')
    .option('--jobs <n>', 'processes that share the seeds', '1')
    .option('--json', 'one JSON object a combination')
    .option('--out <dir>', 'writes every result, a report and numbers there')
    .option('--open', 'opens the report')
    .action(async (scenario: string, flags: SweepFlags) => {
      code = await commandSweep(scenario, flags)
    })
  program
    .command('diff <before> <after>')
    .description('compares two folders of results; exit code 15 when something is worse beyond chance')
    .option('--json', 'one JSON value')
    .action((before: string, after: string, flags: { json?: boolean }) => {
      code = commandDiff(before, after, flags)
    })
  program
    .command('report <dir>')
    .description('makes the report of a folder of results anew, without running anything')
    .action(async (folder: string) => {
      const { makeReport } = await import('./report/report.ts')
      process.stdout.write(`${makeReport(folder)}\n`)
    })
  await program.parseAsync([...args], { from: 'user' })
  return code
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CommanderError && error.exitCode === 0)) {
    if (!(error instanceof CommanderError))
      process.stderr.write(
        `${error instanceof Refused || error instanceof UnknownHost ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
      )
    process.exitCode = exitCodes.usage
  }
}

/**
 * `npm run mutation -- session` or `group`: changes the room's code in one place at a time, runs the tests that reach
 * the place, and says which changes none of them noticed. `--only FILE[,FILE]` takes some of its files. What it needs is
 * installed the first time. The report lies in `node_modules/.cache/mutation/`. Fails below 80 % killed.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, run } from './run.mjs'

const tool = join(root, 'test', 'mutation')
const modules = join(tool, 'node_modules')
const cache = join(root, 'node_modules', '.cache', 'mutation')
const polyfill = './packages/core/bindings/host-node/polyfill.mjs'

/** What is not code with something to decide, and the tests a room is held by; those that take seconds are left out. */
const rooms = {
  session: {
    except: ['index', 'types'],
    tests: [
      'core/session/*',
      'vectors/session/*',
      'model/ratchet',
      ...['010-skip-limit', '013-wrong-hands', '016-mangled-frames', '017-downgrade', '018-simultaneous'],
      ...['020-replay-and-repair', '027-compromise'],
    ].map((name) => (/^\d/.test(name) ? `adversarial/${name}` : name)),
  },
  group: {
    except: ['index'],
    // Quick ones first: the first that notices ends the matter.
    tests: [
      ...['graph', 'store', 'judge', 'create', 'housekeeping', 'due', 'topic', 'chain'].map(
        (name) => `epoch-${name}`,
      ),
      ...['judgement', 'admission', 'report', 'writing', 'scenarios', 'records', 'packed', 'epoch-seal'],
      ...['epoch-rules', 'hostile', 'epoch-attacks', 'group-law', 'epoch-law'],
    ]
      .map((name) => `core/group/${name}`)
      .concat('vectors/group/*', 'adversarial/056-insider'),
    env: { SOTTO_GROUP_DAGS: '5', SOTTO_GROUP_WORLDS: '3' },
  },
}

const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true })
const [name] = positionals
const room = rooms[name]
if (room === undefined) {
  console.error(`npm run mutation -- ${Object.keys(rooms).join('|')} [--only FILE,FILE]`)
  process.exit(1)
}
if (!existsSync(modules)) {
  const code = await run('npm', ['ci', '--prefix', tool, '--ignore-scripts', '--no-audit', '--no-fund'])
  if (code !== 0) process.exit(code)
}

const folder = `packages/core/src/${name}`
const mutate =
  values.only === undefined
    ? [`${folder}/*.ts`, ...room.except.map((file) => `!${folder}/${file}.ts`)]
    : values.only.split(',').map((file) => `${folder}/${file}.ts`)
mkdirSync(cache, { recursive: true })
const mocharc = join(cache, 'mocharc.json')
writeFileSync(mocharc, JSON.stringify({ timeout: 60_000 }))
const settings = join(cache, `${name}.json`)
writeFileSync(
  settings,
  JSON.stringify({
    mutate,
    testRunner: 'mocha',
    plugins: [join(modules, '@stryker-mutator', 'mocha-runner', 'dist', 'src', 'index.js')],
    // The version of mocha the runner knows cannot read the settings of the house.
    mochaOptions: { config: mocharc, spec: room.tests.map((test) => `test/${test}.test.ts`) },
    testRunnerNodeArgs: ['--import', polyfill, '--import', 'tsx', '--conditions=sotto-source'],
    coverageAnalysis: 'perTest',
    ignoreStatic: true,
    checkers: [],
    concurrency: 1,
    timeoutMS: 20_000,
    reporters: ['clear-text', 'json', 'progress-append-only'],
    jsonReporter: { fileName: join(cache, `${name}-report.json`) },
    tempDirName: join(cache, `${name}-work`),
    ignorePatterns: ['docs', 'packages/web', 'relay', 'stubs', 'test/bench', 'test/mutation'],
    thresholds: { high: 90, low: 80, break: 80 },
  }),
)
const bin = join(modules, '@stryker-mutator', 'core', 'bin', 'stryker.js')
process.exitCode = await run(process.execPath, [bin, 'run', settings], {
  env: { ...process.env, ...room.env },
})

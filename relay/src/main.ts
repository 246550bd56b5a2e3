import { readFile } from 'node:fs/promises'
import process from 'node:process'
import type { Clock } from '@sotto/core/ports'
import { Command, CommanderError } from 'commander'
import { readConfig, type Config } from './config.ts'
import { RelayFailure, codeOf, exits } from './failure.ts'
import { openLog } from './log.ts'

interface RunFlags {
  readonly data: string
  readonly config?: string
  readonly listen?: readonly string[]
  readonly http?: string
  readonly log?: string
}

/** Tests of other processes shift their clock by this variable. */
const offsetMs = Number(process.env['SOTTO_CLOCK_OFFSET_MS'] ?? 0) || 0

const clock: Clock = {
  nowMs: () => Date.now() + offsetMs,
  monotonicMs: () => performance.now(),
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function configOf(flags: Pick<RunFlags, 'config'>): Promise<Config> {
  return readConfig(flags.config === undefined ? undefined : await readToml(flags.config), process.env)
}

async function readToml(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new RelayFailure(
      'E_CONFIG',
      exits.usage,
      'cannot read the configuration file',
      'check --config',
      cause,
    )
  }
}

/** What the flags say goes before the environment and the file. */
function withFlags(config: Config, flags: RunFlags): Config {
  return {
    ...config,
    ...(flags.listen === undefined ? {} : { 'listen.addresses': flags.listen }),
    ...(flags.http === undefined ? {} : { 'http.address': flags.http }),
    ...(flags.log === undefined ? {} : { 'log.file': flags.log }),
  }
}

async function run(flags: RunFlags): Promise<void> {
  const config = withFlags(await configOf(flags), flags)
  const log = openLog(config['log.file'], clock, process.stderr)
  // Loaded only here: the other commands answer without a network stack.
  const { startRelay } = await import('./relay.ts')
  const relay = await startRelay({ data: flags.data, config, clock, log, notice: say })
  const { peerId, listen, http } = relay
  process.stdout.write(`${JSON.stringify({ event: 'ready', peerId, listen, http })}\n`)
  await stopSignal()
  await relay.stop()
  await log.close()
  // Sockets of peers that do not answer a goodbye would keep the process for minutes.
  process.exit(0)
}

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const on = (): void => {
      if (asked) process.exit(exits.interrupted)
      asked = true
      resolve()
    }
    process.on('SIGTERM', on)
    process.on('SIGINT', on)
  })
}

function program(): Command {
  const command = new Command('sotto-relay')
    .description(
      'A volunteer relay of Sotto: circuits, DHT and sealed mailboxes. It can read nothing it carries.',
    )
    .exitOverride()
  command
    .command('run')
    .description('run in the foreground; the first line on stdout says where')
    .requiredOption('--data <dir>', 'directory of the identity key and the store')
    .option('--config <file>', 'TOML file; see docs/operating/relay.md')
    .option('--listen <multiaddr...>', 'addresses to listen on (default TCP 4001 and WebSocket 4002)')
    .option('--http <host:port>', 'where to serve the web app and /healthz (default 127.0.0.1:9640)')
    .option('--log <file>', 'JSON lines of counters; stderr otherwise')
    .option('--json', 'print a failure as JSON')
    .action(run)
  command
    .command('check-config')
    .description('read the configuration as run would, and print it')
    .option('--config <file>', 'TOML file')
    .option('--json', 'print a failure as JSON')
    .action(async (flags: Pick<RunFlags, 'config'>) => {
      process.stdout.write(`${JSON.stringify(await configOf(flags))}\n`)
    })
  return command
}

/** Says what went wrong and gives the exit code. */
function fail(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : exits.usage
  const known = thrown instanceof RelayFailure
  const code = known ? thrown.code : (codeOf(thrown) ?? 'E_FAILED')
  const message = known ? thrown.message : 'the relay stopped on an unexpected failure'
  const hint = known ? thrown.hint : ''
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code, message, hint, retryable: false } })}\n`)
  else say(`sotto-relay: ${message} (${code})${hint === '' ? '' : `\n  ${hint}`}`)
  return known ? thrown.exit : exits.failed
}

try {
  await program().parseAsync()
} catch (thrown) {
  process.exitCode = fail(thrown)
}

import { runCli } from './cli/run.ts'
import { exitCodes } from './cli/exit-code.ts'

const interrupt = new AbortController()
let signalled = false

function onSignal(): void {
  // A second signal means: now.
  if (signalled) process.exit(exitCodes.interrupted)
  signalled = true
  interrupt.abort()
}

process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
process.on('SIGHUP', onSignal)
// A reader that went away, as in `sotto listen | head`, is no failure.
process.stdout.on('error', () => onSignal())
process.stderr.on('error', () => undefined)

const code = await runCli(
  process.argv.slice(2),
  {
    env: process.env,
    stdin: process.stdin,
    stdinIsTerminal: process.stdin.isTTY,
    stdoutIsTerminal: process.stdout.isTTY,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interrupted: interrupt.signal,
  },
  // Loaded only for commands that open the home themselves.
  { openNode: async (options) => (await import('./create-node.ts')).openNode(options) },
)

// Sockets of peers that do not answer a goodbye would keep the process for minutes.
process.stdout.write('', () => process.exit(code))

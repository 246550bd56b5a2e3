import { SottoError, UsageError } from '@sotto/core/ports'
import { CommanderError } from 'commander'
import { describeFailure, faultOf } from '../face/failure.ts'
import type { Failure } from '../face/failure.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { outJson } from './io.ts'
import type { Io } from './io.ts'
import { printableLine } from './printable.ts'
import { createProgram } from './program.ts'
import type { CliDeps } from './session.ts'

const helpCodes = ['commander.help', 'commander.helpDisplayed', 'commander.version']

function fromCommander(error: CommanderError): UsageError {
  const message = error.message.replace(/^error: /, '')
  return new UsageError('E_USAGE', message, { hint: 'See: sotto --help' })
}

function failureText(failure: Failure): string {
  const candidates = (failure.candidates ?? []).map(({ id, name }) => `  ${id}  ${printableLine(name)}\n`)
  const hint = failure.hint === '' ? '' : `${failure.hint}\n`
  return `${printableLine(failure.message)} (${failure.code})\n${candidates.join('')}${hint}`
}

/** Whether JSON was asked for, also when the arguments could not be read. */
const wantsJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json')
}

function report(io: Io, argv: readonly string[], error: unknown): number {
  const failure = describeFailure(error)
  if (wantsJson(argv)) outJson(io, { error: failure })
  else io.err(failureText(failure))
  if (!(error instanceof SottoError))
    io.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return exitCodeOf(failure.code, faultOf(error))
}

/** Runs one command line (without the program's name); resolves to its exit code and never throws. */
export async function runCli(argv: readonly string[], io: Io, deps: CliDeps): Promise<number> {
  try {
    await createProgram(deps, io).parseAsync([...argv], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError) {
      const group = error.code === 'commander.help' && error.exitCode !== 0
      if (helpCodes.includes(error.code) && !group) return exitCodes.ok
      return report(
        io,
        argv,
        group
          ? new UsageError('E_USAGE', 'a command is missing', { hint: 'See: sotto --help' })
          : fromCommander(error),
      )
    }
    return report(io, argv, error)
  }
}

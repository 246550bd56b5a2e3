import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { PortError, UsageError } from '@sotto/core/ports'
import { z } from 'zod'
import { failureToError } from '../face/failure.ts'
import type { Context } from './context.ts'
import { outJson, streamsJson } from './io.ts'
import type { Io } from './io.ts'
import { outEvent } from './listen.ts'
import { runNode, untilEnd } from './run-node.ts'
import type { NodeOptions } from './run-node.ts'
import { homeExists, noAccount, pathsOf } from './session.ts'

export interface UpOptions extends NodeOptions {
  readonly detach?: boolean
}

/** Set for the process that `--detach` leaves behind: it prints nothing after its first line. */
const detachedMark = 'SOTTO_DETACHED'

const readyLine = z.looseObject({
  event: z.literal('ready'),
  peerId: z.string(),
  listen: z.array(z.string()),
  api: z.string(),
})
const failureLine = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string(), retryable: z.boolean() }),
})

/** The arguments of this process, without `--detach`, for the process that stays. */
const sameCommand = (argv: readonly string[]): string[] => [
  ...argv.filter((word) => word !== '--detach' && word !== '--json'),
  '--json',
]

function firstLine(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = () =>
      reject(
        new PortError('E_NOT_RUNNING', 'the daemon ended before it was ready', {
          hint: 'See sotto.log in the home.',
        }),
      )
    child.once('error', failed)
    child.once('close', failed)
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve)
  })
}

/** Starts this program again without a terminal and waits until it is ready. */
async function detach({ io, options }: Context): Promise<void> {
  const paths = pathsOf(io, options)
  if (!homeExists(paths)) throw noAccount()
  const log = openSync(paths.log, 'a', 0o600)
  const script = process.argv[1]
  if (script === undefined) throw new UsageError('E_USAGE', '--detach needs a program file')
  const child = spawn(process.execPath, [script, ...sameCommand(process.argv.slice(2))], {
    detached: true,
    env: { ...io.env, [detachedMark]: '1' },
    stdio: ['ignore', 'pipe', log],
  })
  const line: unknown = JSON.parse(await firstLine(child))
  child.stdout?.destroy()
  child.unref()
  const failure = failureLine.safeParse(line)
  if (failure.success) throw failureToError(failure.data.error, 'port')
  sayReady({ io, options }, readyLine.parse(line))
}

function sayReady(context: Pick<Context, 'io' | 'options'>, ready: z.infer<typeof readyLine>): void {
  if (streamsJson(context)) outJson(context.io, ready)
  else context.io.out(['Up.', ...ready.listen.map((address) => `Listening on ${address}`), ''].join('\n'))
}

const isDetached = (io: Io): boolean => io.env[detachedMark] === '1'

/** `sotto up`: runs until interrupted or told to end. */
export async function runUp(context: Context, given: UpOptions): Promise<void> {
  if (given.detach === true) return detach(context)
  const running = await runNode(context, given)
  const { peerId, listen, daemon } = running
  sayReady(context, { event: 'ready', peerId, listen: [...listen], api: daemon.api })
  const quiet = isDetached(context.io)
  await untilEnd(running, (event) => {
    if (!quiet) outEvent(context, event, false)
  })
}

import { PortError, UsageError } from '@sotto/core/ports'
import type { CommandName, DeviceFace, QueryName } from '@sotto/core'
import type { z } from 'zod'
import { commandInputs, queryInputs } from './inputs.ts'

const badInput = (): UsageError =>
  new UsageError('E_USAGE', 'this request does not have the form it must have')

/** A value that has the form a schema asks for; `E_USAGE` otherwise. */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  throw badInput()
}

const has = <K extends string>(table: Readonly<Record<K, z.ZodType>>, name: string): name is K =>
  Object.hasOwn(table, name)

/** A device as JSON may ask it. */
export interface JsonFace {
  dispatch(command: string, input: unknown): Promise<unknown>
  view(query: string, input: unknown): Promise<unknown>
  subscribe: DeviceFace['subscribe']
}

const busy = (): PortError => new PortError('E_BUSY', 'too many requests at once', { retryable: true })

/**
 * A device behind a door: each request's name and input are checked, and no more than `parallel` run at
 * once. Errors beside the device's own: `E_USAGE`, `E_BUSY`.
 */
export function checkedFace(face: DeviceFace, parallel: number): JsonFace {
  let running = 0
  const counted = async (run: () => Promise<unknown>): Promise<unknown> => {
    if (running >= parallel) throw busy()
    running += 1
    try {
      return await run()
    } finally {
      running -= 1
    }
  }
  return {
    dispatch: (command, input) =>
      counted(async () => {
        if (!has<CommandName>(commandInputs, command)) throw badInput()
        return face.dispatch(
          command,
          checked<never>(commandInputs[command] as unknown as z.ZodType<never>, input),
        )
      }),
    view: (query, input) =>
      counted(async () => {
        if (!has<QueryName>(queryInputs, query)) throw badInput()
        return face.view(query, checked<never>(queryInputs[query] as unknown as z.ZodType<never>, input))
      }),
    subscribe: (listener) => face.subscribe(listener),
  }
}

import type { SelfView } from '@sotto/core'
import type { GlobalOptions, Io } from './io.ts'
import { mayAsk, withDevice } from './session.ts'
import type { CliDeps, Session } from './session.ts'

/** What every command is given. */
export interface Context {
  readonly deps: CliDeps
  readonly io: Io
  readonly options: GlobalOptions
}

/** Runs `work` on this home's device. */
export const onDevice = <T>(
  { deps, io, options }: Context,
  work: (session: Session, self: SelfView) => Promise<T>,
): Promise<T> => withDevice(deps, io, options, work)

/** The answer to a question on a terminal; no where nobody can be asked. */
export async function confirmed({ io, options }: Context, message: string): Promise<boolean> {
  if (!mayAsk(io, options)) return false
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message, initialValue: false })) === true
}

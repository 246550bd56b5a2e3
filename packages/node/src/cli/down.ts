import { UsageError } from '@sotto/core/ports'
import { findDaemon } from '../local-api/find-daemon.ts'
import type { Context } from './context.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { pathsOf } from './session.ts'

/** `sotto down` */
export async function runDown({ io, options }: Context): Promise<Outcome> {
  const daemon = await findDaemon(pathsOf(io, options).api)
  if (daemon === undefined) throw new UsageError('E_NOT_RUNNING', 'nothing is running for this home')
  await daemon.shutdown()
  return outcome({ stopped: true }, 'Ended.')
}

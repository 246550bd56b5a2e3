/**
 * The device's thread. It takes part in the election of one writer per origin before it loads anything: the
 * Web Lock it holds is freed by the browser whenever the tab, or this thread alone, is gone.
 */
import type { ToWorker, FromWorker } from './tab/control.ts'
import type { Running } from './tab/run-device.ts'

const lockName = 'sotto-device'
const tell = (message: FromWorker): void => postMessage(message)

let yielded = (): void => undefined

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.control === 'start') void takeTurns(data)
  if (data.control === 'yield') yielded()
})

/** Leads whenever the lock is ours, until asked to make way; then stands in line again. */
async function takeTurns(start: Extract<ToWorker, { control: 'start' }>): Promise<void> {
  let { marked } = start
  const { loopback } = start
  for (;;) {
    const free = await navigator.locks.request(lockName, { ifAvailable: true }, (lock) =>
      lock === null ? false : lead({ marked, loopback }),
    )
    if (free === true) return
    if (free === false) {
      tell({ control: 'state', state: 'following' })
      if ((await navigator.locks.request(lockName, () => lead({ marked: true, loopback }))) === true) return
    }
    marked = true
  }
}

/** Runs the device; true when it cannot run and there is no use in trying again. */
async function lead(options: {
  readonly marked: boolean
  readonly loopback: boolean
}): Promise<boolean | null> {
  const asked = new Promise<void>((resolve) => (yielded = resolve))
  tell({ control: 'state', state: 'starting' })
  let running: Running
  try {
    const { runDevice } = await import('./tab/run-device.ts')
    running = await runDevice(options)
  } catch (failure) {
    tell({ control: 'state', state: 'failed', code: codeOf(failure) })
    return true
  }
  tell({ control: 'state', state: 'leading' })
  await asked
  await running.stop()
  return null
}

const codeOf = (failure: unknown): string =>
  typeof failure === 'object' && failure !== null && 'code' in failure && typeof failure.code === 'string'
    ? failure.code
    : 'E_INTERNAL'

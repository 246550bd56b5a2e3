/**
 * One host of a place of network namespaces, in a process of its own: `ADDRESS relay|devices`. It does what it is asked
 * over the channel to its parent, and says first where its relay is, if it is one.
 */
import { SottoError, type DeviceFace } from '@sotto/core'
import { libp2pHost } from './libp2p-place.ts'
import type { Ask, Reply } from './namespace-place.ts'
import { Tally } from './tally.ts'

const [address = '', kind] = process.argv.slice(2)
const tally = new Tally()
const place = await libp2pHost(address, kind === 'relay', tally)
const devices = new Map<string, DeviceFace>()
const tell = (reply: Reply): void => void process.send?.(reply)

async function answer({ call, device, args: [name, input] }: Ask): Promise<unknown> {
  switch (call) {
    case 'open':
      devices.set(device, await place.open(device, name as string | undefined))
      return undefined
    case 'close':
      devices.delete(device)
      return place.close(device)
    // What the parent asks was typed there.
    case 'dispatch':
      return devices.get(device)?.dispatch(name as never, input as never)
    case 'view':
      return devices.get(device)?.view(name as never, input as never)
    case 'end':
      await place.end()
      return tally.counts
  }
}

process.on('message', (ask: Ask) => {
  answer(ask).then(
    (value) => tell({ id: ask.id, value }),
    (error: unknown) => {
      const known = error instanceof SottoError
      const { message } = error as Error
      tell({
        id: ask.id,
        error: { message, code: known ? error.code : '', retryable: known && error.retryable },
      })
    },
  )
})
process.on('disconnect', () => process.exit())
tell({ id: 0, value: kind === 'relay' ? place.relayAddress : '' })

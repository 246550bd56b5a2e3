import { createServer } from 'node:net'
import { z } from 'zod'
import { parseJson, readSmallFile, replaceFile } from './files.ts'

const port = z.int().min(1).max(65_535)
const remembered = z.object({ tcp: port.optional(), ws: port.optional() })

/** Ports a home listened on; one for plain TCP, one for WebSocket. */
export type ListenPorts = z.infer<typeof remembered>

/** A TCP listening address whose port is left open, and whether it is for WebSocket. */
const anyPort = /^(\/ip[46]\/([^/]+)\/tcp\/)0(\/ws)?$/
const boundPort = /^\/ip[46]\/[^/]+\/tcp\/(\d+)(\/ws)?(\/p2p\/[^/]+)?$/

const kindOf = (ws: string | undefined): keyof ListenPorts => (ws === undefined ? 'tcp' : 'ws')

/** The ports in a file; none when it cannot be read, since any port will do. */
export function readPorts(path: string): ListenPorts {
  const parsed = remembered.safeParse(parseJson(readSmallFile(path) ?? ''))
  return parsed.success ? parsed.data : {}
}

function isFree(host: string, number: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(number, host, () => probe.close(() => resolve(true)))
  })
}

/** The listening addresses with open ports filled in from memory, where those are free. */
export async function withKnownPorts(
  listen: readonly string[],
  known: ListenPorts,
): Promise<readonly string[]> {
  const filled = listen.map(async (address) => {
    const [, before, host, ws] = anyPort.exec(address) ?? []
    const number = known[kindOf(ws)]
    if (before === undefined || host === undefined || number === undefined) return address
    return (await isFree(host, number)) ? `${before}${number}${ws ?? ''}` : address
  })
  return Promise.all(filled)
}

/** Remembers the ports that were found for addresses that left them open. */
export function rememberPorts(path: string, listen: readonly string[], bound: readonly string[]): void {
  const open = new Set(
    listen.flatMap((address) => {
      const match = anyPort.exec(address)
      return match === null ? [] : [kindOf(match[3])]
    }),
  )
  const found = bound.flatMap((address) => {
    const [, number, ws] = boundPort.exec(address) ?? []
    return number !== undefined && open.has(kindOf(ws)) ? [[kindOf(ws), Number(number)]] : []
  })
  const known = readPorts(path)
  const ports = { ...known, ...(Object.fromEntries(found) as ListenPorts) }
  if (JSON.stringify(ports) !== JSON.stringify(known)) replaceFile(path, `${JSON.stringify(ports)}\n`)
}

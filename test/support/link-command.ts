import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Line } from './real-node.ts'

const bin = fileURLToPath(new URL('../../packages/node/bin/sotto.mjs', import.meta.url))

/** `sotto devices link` running in a home without an account. */
export interface LinkCommand {
  /** Its first line: code and link. */
  readonly shown: Promise<{ readonly code: string; readonly link: string }>
  /** Resolves with its exit code and all its lines once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly lines: readonly Line[] }>
}

/** Runs `sotto devices link` on loopback, confirming unasked. */
export function linkCommand(home: string, bootstrap: string, name = 'Pocket'): LinkCommand {
  const where = ['--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', '--bootstrap', bootstrap, '--no-mdns']
  const args = [bin, 'devices', 'link', '--name', name, '--yes', '--json', '--no-input', ...where]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: Line[] = []
  const shown = Promise.withResolvers<{ code: string; link: string }>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line
    lines.push(line)
    if (line['event'] === 'code') shown.resolve({ code: String(line['code']), link: String(line['link']) })
  })
  const ended = new Promise<{ code: number | null; lines: readonly Line[] }>((resolve) => {
    child.once('close', (code) => {
      shown.reject(new Error(`sotto devices link ended with ${String(code)}`))
      resolve({ code, lines })
    })
  })
  shown.promise.catch(() => undefined)
  return { shown: shown.promise, ended }
}

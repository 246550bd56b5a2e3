import { Readable } from 'node:stream'
import { runCli } from '../../packages/node/src/cli/run.ts'
import { ensureFormat } from '../../packages/node/src/home/format.ts'
import { homePaths } from '../../packages/node/src/home/paths.ts'
import type { NodeHandle, OpenNode, OpenOptions } from '../../packages/node/src/node-handle.ts'
import { FakeFace } from './fake-face.ts'
import { temporaryFolder } from './folder.ts'

/** What one command line gave. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** The last line of standard output, read as JSON. */
  readonly json: never
  readonly lines: readonly Record<string, unknown>[]
}

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>

/** A command line over a device in memory. */
export class FakeCli {
  readonly folder = temporaryFolder()
  readonly face: FakeFace
  readonly opened: OpenOptions[] = []
  stops = 0
  openFailure: Error | undefined
  env: NodeJS.ProcessEnv = {}

  constructor(name?: string) {
    this.face = new FakeFace(name)
    if (name !== undefined) this.begin()
  }

  get home(): string {
    return this.folder.path
  }

  /** Marks the folder as a home. */
  begin(): void {
    ensureFormat(homePaths(this.home, {}).format)
  }

  /** Resolve it to have the device halt. */
  readonly halting = Promise.withResolvers<Error>()

  readonly openNode: OpenNode = async (options): Promise<NodeHandle> => {
    if (this.openFailure !== undefined) throw this.openFailure
    this.opened.push(options)
    ensureFormat(options.paths.format)
    return {
      face: this.face,
      keyProtection: 'file',
      connected: async () => undefined,
      halted: this.halting.promise,
      stop: async () => {
        this.stops += 1
      },
    }
  }

  async run(
    args: readonly string[],
    more: { stdin?: string; interrupt?: AbortSignal; onOut?: (text: string) => void } = {},
  ): Promise<Ran> {
    let out = ''
    let err = ''
    const code = await runCli(
      ['--home', this.home, '--no-input', ...args],
      {
        env: { XDG_RUNTIME_DIR: this.home, ...this.env },
        stdin: Readable.from([Buffer.from(more.stdin ?? '')]),
        stdinIsTerminal: false,
        stdoutIsTerminal: false,
        out: (text) => {
          out += text
          more.onOut?.(text)
        },
        err: (text) => (err += text),
        interrupted: more.interrupt ?? new AbortController().signal,
      },
      { openNode: this.openNode },
    )
    const readLines = () => out.split('\n').flatMap((line) => (/^[{[]/.test(line) ? [parse(line)] : []))
    return {
      code,
      out,
      err,
      get lines() {
        return readLines()
      },
      get json() {
        return (readLines().at(-1) ?? null) as never
      },
    }
  }

  /** Runs `up` until `work` is done with it. */
  async whileUp<T>(args: readonly string[], work: () => Promise<T>): Promise<{ up: Ran; result: T }> {
    const interrupt = new AbortController()
    const ready = Promise.withResolvers<undefined>()
    const up = this.run(['up', ...args], {
      interrupt: interrupt.signal,
      onOut: () => ready.resolve(undefined),
    })
    await Promise.race([ready.promise, up])
    try {
      const result = await work()
      interrupt.abort()
      return { up: await up, result }
    } finally {
      interrupt.abort()
    }
  }
}

import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const launcher = new URL('../../../packages/core/bindings/host-node/launch.mjs', import.meta.url).href
const cache = fileURLToPath(new URL('../../../node_modules/.cache/sotto', import.meta.url))
const made = () => readdirSync(cache).filter((one) => one.startsWith('started-'))

describe('host-node: a program that is launched from its sources', () => {
  let folder = ''
  beforeEach(() => {
    mkdirSync(cache, { recursive: true })
    folder = mkdtempSync(join(cache, 'launch-'))
  })
  afterEach(() => {
    for (const one of [folder, ...made().map((name) => join(cache, name))]) rmSync(one, { recursive: true })
  })

  /** Writes a source as somebody did a minute ago. */
  const write = (name: string, source: string, agoMs = 60_000): void => {
    writeFileSync(join(folder, name), source)
    const when = (Date.now() - agoMs) / 1_000
    utimesSync(join(folder, name), when, when)
  }
  const main = () => pathToFileURL(join(folder, 'started.ts')).href
  const start = (how = '') => {
    const script = `import { launch } from '${launcher}'; await launch(new URL('${main()}')${how})`
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  }

  it('is as its sources are each time, and is put together again only when one changes', () => {
    write('started.ts', "import { told } from './told.ts'\nconsole.log(told, import.meta.url)\n")
    write('told.ts', "export const told: string = 'first'\n")
    expect(start().stdout.trim()).to.equal(`first ${main()}`)
    const once = made()
    expect(start().stdout.trim()).to.equal(`first ${main()}`)
    expect(made()).to.deep.equal(once)
    write('told.ts', "export const told: string = 'other'\n", 30_000)
    expect(start().stdout.trim()).to.equal(`other ${main()}`)
    expect(made()).to.not.deep.equal(once)
  })

  it('finds packages where they are installed, and rooms by their doors', () => {
    write(
      'started.ts',
      "import { toHex } from '@sotto/core/wire'\nimport { WebSocket } from 'ws'\n" +
        'console.log(toHex(Uint8Array.of(171)), typeof WebSocket)\n',
    )
    const { stdout, stderr } = start()
    expect(stdout + stderr).to.include('ab function')
  })

  it('is loaded file by file when asked to, and where it does not parse, which is said', () => {
    write('started.ts', 'console.log(new Error().stack)\n')
    const before = made()
    expect(start(', { asWritten: true }').stdout).to.include('started.ts:1')
    expect(made()).to.deep.equal(before)
    write('started.ts', 'const of = ;\n')
    const { stderr, status } = start()
    expect(status).to.not.equal(0)
    expect(stderr).to.include('started.ts:1')
  })

  it('names the sources where it fails', () => {
    write('started.ts', "\n\nfunction deep(): void {\n  throw new Error('here')\n}\ndeep()\n")
    expect(start().stderr).to.include('started.ts:4:')
  })
})

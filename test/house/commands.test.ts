import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const binOf = (folder: string): Readonly<Record<string, string>> =>
  (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { bin?: Record<string, string> })
    .bin ?? {}

describe('the commands by their names', () => {
  const commands = ['packages/node', 'relay', 'simulations'].flatMap((folder) => Object.keys(binOf(folder)))

  it('are those of this clone, also before anything is installed: `npx` looks for none elsewhere', () => {
    expect(Object.keys(binOf('.'))).to.have.members(commands)
  })

  for (const [name, file] of Object.entries(binOf('.')))
    it(`start the program: ${name}`, () => {
      const { stdout } = spawnSync(process.execPath, [join(root, file), '--help'], { encoding: 'utf8' })
      expect(stdout).to.include(`${name} `)
    })
})

import { expect } from 'chai'
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const configFile = new URL('../../.dependency-cruiser.mjs', import.meta.url)

/** A tiny house: each file with what it imports. */
type House = Readonly<Record<string, readonly string[]>>

const npmPackages = [
  '@scure/base',
  '@noble/hashes',
  'libp2p',
  'libsodium-wrappers-sumo',
  '@automerge/automerge',
]
/** Lies in node_modules, yet no package.json names it. */
const unlisted = 'stowaway'
const room = (name: string, file = 'index') => `packages/core/src/${name}/${file}.ts`
const binding = (name: string) => `packages/core/bindings/${name}/index.ts`

function write(base: string, path: string, text: string): void {
  mkdirSync(dirname(join(base, path)), { recursive: true })
  writeFileSync(join(base, path), text)
}

function build(base: string, house: House): void {
  const dependencies = Object.fromEntries(npmPackages.map((name) => [name, '1.0.0']))
  write(base, 'package.json', JSON.stringify({ name: 'house', type: 'module', dependencies }))
  for (const name of [...npmPackages, unlisted]) {
    write(base, `node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }))
    write(base, `node_modules/${name}/index.js`, 'module.exports = {}')
  }
  const files = new Set(Object.keys(house))
  for (const imports of Object.values(house))
    for (const path of imports) if (path.endsWith('.ts')) files.add(path)
  for (const file of files) {
    const up = '../'.repeat(file.split('/').length - 1)
    const lines = (house[file] ?? []).map((to) => `import '${to.endsWith('.ts') ? up : ''}${to}'`)
    write(base, file, `${lines.join('\n')}\nexport {}\n`)
  }
}

async function violations(house: House): Promise<string[]> {
  const { default: config } = (await import(configFile.href)) as { default: IConfiguration }
  const base = mkdtempSync(join(tmpdir(), 'import-law-'))
  try {
    build(base, house)
    const result = await cruise(
      ['packages', 'relay'],
      { ...config.options, baseDir: base, ruleSet: { forbidden: config.forbidden ?? [] }, validate: true },
      config.options?.enhancedResolveOptions,
    )
    const { summary } = result.output as ICruiseResult
    return [...new Set(summary.violations.map(({ rule, from }) => `${from}: ${rule.name}`))].sort()
  } finally {
    rmSync(base, { recursive: true })
  }
}

/** What every house below needs so that both roots exist. */
const walls: House = { 'relay/src/main.ts': [] }

describe('import law', () => {
  it('accepts a house that keeps it', async () => {
    expect(
      await violations({
        [room('wire')]: ['@scure/base', 'packages/core/src/errors.ts'],
        [room('crypto')]: ['@noble/hashes', room('wire')],
        [room('session')]: [room('crypto'), room('identity'), 'packages/core/src/limits.ts'],
        [room('mailbox')]: [room('wire'), room('crypto')],
        [binding('libp2p')]: ['libp2p', room('ports'), room('mailbox')],
        [binding('crypto-node')]: ['libsodium-wrappers-sumo', 'node:crypto'],
        'packages/core/src/index.ts': [room('session')],
        'packages/node/src/main.ts': ['packages/core/src/index.ts', 'node:fs', 'libp2p'],
        'relay/src/main.ts': [room('mailbox'), binding('libp2p')],
      }),
    ).to.deep.equal([])
  })

  const bites: [title: string, house: House, expected: string[]][] = [
    [
      'a room that reaches above its row',
      { [room('wire')]: [room('session')], [room('mailbox')]: [room('identity')] },
      [`${room('mailbox')}: room-mailbox`, `${room('wire')}: room-wire`],
    ],
    [
      'a library in the wrong room',
      {
        [room('session')]: ['@scure/base'],
        [room('identity')]: ['@noble/hashes'],
        [room('group')]: ['@automerge/automerge'],
      },
      [
        `${room('group')}: automerge-place`,
        `${room('group')}: room-group`,
        `${room('identity')}: primitives-places`,
        `${room('identity')}: room-identity`,
        `${room('session')}: room-session`,
      ],
    ],
    [
      'a Node built-in in a pure room',
      { [room('crypto')]: ['node:crypto'], [binding('crypto-node')]: ['node:fs'] },
      [`${binding('crypto-node')}: binding-crypto-node`, `${room('crypto')}: room-crypto`],
    ],
    [
      'libp2p outside its binding',
      { [room('device')]: ['libp2p'], [binding('level')]: ['libp2p'] },
      [
        `${binding('level')}: binding-level`,
        `${binding('level')}: libp2p-places`,
        `${room('device')}: libp2p-places`,
        `${room('device')}: room-device`,
      ],
    ],
    [
      'Automerge in any file but its own',
      {
        [room('history')]: [room('history', 'automerge')],
        [room('history', 'automerge')]: ['@automerge/automerge'],
        [room('history', 'other')]: ['@automerge/automerge'],
        'packages/node/src/main.ts': ['@automerge/automerge'],
      },
      [`${room('history', 'other')}: automerge-place`, 'packages/node/src/main.ts: automerge-place'],
    ],
    [
      'a cycle',
      { [room('wire', 'a')]: [room('wire', 'b')], [room('wire', 'b')]: [room('wire', 'a')] },
      [`${room('wire', 'a')}: no-cycles`],
    ],
    [
      'a wall instead of a door',
      { 'packages/node/src/main.ts': [room('session')] },
      ['packages/node/src/main.ts: doors-only'],
    ],
    [
      'adapters that know each other',
      { 'packages/web/src/main.ts': ['packages/node/src/main.ts'] },
      ['packages/web/src/main.ts: adapters-apart'],
    ],
    [
      'a room and a binding without a row',
      { [room('extra')]: [room('wire')], [binding('extra')]: [room('wire')] },
      [`${binding('extra')}: binding-unknown`, `${room('extra')}: room-unknown`],
    ],
    [
      'a package that no package.json names, and a file that is not there',
      { 'packages/node/src/main.ts': [unlisted, './absent.js'] },
      ['packages/node/src/main.ts: no-unlisted', 'packages/node/src/main.ts: no-unresolved'],
    ],
    [
      'an import of the tests',
      { 'packages/node/src/main.ts': ['test/support.ts'] },
      ['packages/node/src/main.ts: nothing-imports-simulations-or-test'],
    ],
    [
      'a relay that reaches a reading room through a permitted door',
      {
        'relay/src/main.ts': [room('mailbox')],
        [room('mailbox')]: [room('wire')],
        [room('wire')]: [room('history')],
      },
      [`${room('wire')}: room-wire`, 'relay/src/main.ts: relay-cannot-read'],
    ],
    [
      'a relay at the main door',
      { 'relay/src/main.ts': ['packages/core/src/index.ts'] },
      ['relay/src/main.ts: relay-doors'],
    ],
  ]
  for (const [title, house, expected] of bites) {
    it(`refuses ${title}`, async () => {
      expect(await violations({ ...walls, 'packages/core/src/limits.ts': [], ...house })).to.deep.equal(
        expected,
      )
    })
  }
})

import { existsSync, readdirSync, rmSync, rmdirSync } from 'node:fs'
import { basename } from 'node:path'
import { UsageError } from '@sotto/core/ports'
import type { SettingKey } from '@sotto/core'
import packageJson from '../../package.json' with { type: 'json' }
import { findDaemon } from '../local-api/find-daemon.ts'
import type { HomePaths } from '../home/paths.ts'
import { confirmed, onDevice } from './context.ts'
import type { Context } from './context.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { printableLine } from './printable.ts'
import { homeExists, mayAsk, noAccount, openHere, pathsOf, protectionOf } from './session.ts'
import { connectionWords, statusJson } from './shapes.ts'
import { table } from './table.ts'

/** The version of this program. */
export const version: string = packageJson.version

/** `sotto version` */
export const runVersion = (): Outcome =>
  outcome({ version, node: process.version }, `sotto ${version} (node ${process.version})`)

/** What a command says that makes an account where there is one. */
export const alreadyInitialised = (): UsageError =>
  new UsageError('E_ALREADY_INITIALISED', 'this home already has an account', {
    hint: 'Use another folder: --home DIR',
  })

/** The name given, or asked for on a terminal; `E_NAME_NEEDED` when nobody can answer. */
export async function chooseName({ io, options }: Context, given: string | undefined): Promise<string> {
  const name = given ?? io.env['SOTTO_NAME']
  if (name !== undefined && name !== '') return name
  if (mayAsk(io, options)) {
    const user = io.env['USER'] ?? io.env['USERNAME'] ?? ''
    const { text } = await import('@clack/prompts')
    const answer = await text({ message: 'Your name (others see it)', placeholder: user, defaultValue: user })
    if (typeof answer === 'string' && answer.trim() !== '') return answer.trim()
  }
  throw new UsageError('E_NAME_NEEDED', 'an account needs a name', { hint: 'Give one: --name NAME' })
}

/** `sotto init` */
export async function runInit(context: Context, given: { readonly name?: string }): Promise<Outcome> {
  const { deps, io, options } = context
  const paths = pathsOf(io, options)
  const daemon = await findDaemon(paths.api)
  if (daemon !== undefined) {
    daemon.close()
    throw alreadyInitialised()
  }
  const existing = homeExists(paths) && existsSync(paths.key)
  const name = existing ? given.name : await chooseName(context, given.name)
  const node = await openHere(deps, io, options, null)
  try {
    if ((await node.face.view('self', {})) !== null) throw alreadyInitialised()
    const self = await node.face.dispatch('create-account', {
      name: name ?? (await chooseName(context, undefined)),
    })
    const key =
      node.keyProtection === 'file'
        ? `Its key lies in ${paths.key}, readable by you alone; no passphrase was set.`
        : 'Its key is sealed under your passphrase.'
    const { accountId, deviceId } = self
    return outcome(
      { accountId, deviceId, name: self.name, home: paths.home },
      `Made an account for ${printableLine(self.name)} on this device; nothing was sent anywhere.\n${key}\nNext: sotto up`,
    )
  } finally {
    await node.stop()
  }
}

const protectionWords = {
  file: 'in a file only you can read (no passphrase)',
  passphrase: 'sealed under a passphrase',
} as const

/** `sotto status` */
export const runStatus = (context: Context): Promise<Outcome> =>
  onDevice(context, async (session, self) => {
    const status = await session.face.view('status', {})
    const keyProtection = (await protectionOf(session.paths)) ?? 'file'
    const running = session.daemon !== undefined
    const { accountId } = self
    const rows = [
      ['Name', `${printableLine(self.name)} (${accountId.slice(0, 8)})`],
      ['Connection', running ? connectionWords[status.connection] : 'Not running: start it with sotto up'],
      ...(running ? [['Peers', `${status.peers}`]] : []),
      ...status.listen.map((address) => ['Listening', address]),
      ...status.relays.map((relay) => ['Relay', `${printableLine(relay.address)} (${relay.state})`]),
      ['Waiting', `${status.outbox} to be delivered, ${status.held} held`],
      ['Key', protectionWords[keyProtection]],
      ['Home', session.paths.home],
      ...status.warnings.map((warning) => ['Warning', `${warning.message} (${warning.code})`]),
    ]
    const json = { ...statusJson(status, running), accountId, home: session.paths.home, keyProtection }
    return outcome(json, table(rows))
  })

const settingNames: Readonly<Record<string, SettingKey>> = {
  name: 'name',
  deviceName: 'deviceName',
  'device-name': 'deviceName',
  readReceipts: 'readReceipts',
  'read-receipts': 'readReceipts',
  previews: 'previews',
}

function settingKey(text: string): SettingKey {
  const key = Object.hasOwn(settingNames, text) ? settingNames[text] : undefined
  if (key !== undefined) return key
  throw new UsageError('E_SETTING', `there is no setting “${printableLine(text)}”`, {
    hint: 'Settings: name, deviceName, readReceipts, previews.',
  })
}

const showSetting = (value: string | boolean): string =>
  typeof value === 'string' ? printableLine(value) : value ? 'on' : 'off'

/** `sotto config get [KEY]` */
export const runConfigGet = (context: Context, typed: string | undefined): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const settings = await face.view('settings', {})
    const keys = typed === undefined ? (Object.keys(settings) as SettingKey[]) : [settingKey(typed)]
    const json = Object.fromEntries(keys.map((key) => [key, settings[key]]))
    const rows = keys.map((key) => [key, showSetting(settings[key])])
    return outcome(json, typed === undefined ? table(rows) : (rows[0]?.[1] ?? ''))
  })

/** `sotto config set KEY VALUE` */
export const runConfigSet = (context: Context, typed: string, value: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const key = settingKey(typed)
    const settings = await face.dispatch('set-setting', { key, value })
    return outcome({ [key]: settings[key] }, `${key}: ${showSetting(settings[key])}`)
  })

/** `sotto recovery words` */
export const runRecoveryWords = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { words } = await face.dispatch('recovery-words', {})
    const rows = words.map((word, at) => `${String(at + 1).padStart(2)} ${word}`)
    const lines = [0, 1, 2, 3, 4, 5].map((line) => rows.filter((_, at) => at % 6 === line))
    return outcome(
      { words },
      `${table(lines)}\n\nWrite them down on paper. Whoever has them can take this account over.\nThen: sotto recovery confirm`,
    )
  })

const wordLine = /^\s*(\d{1,2})[\s.:=]+([a-z]+)\s*$/i

/** `sotto recovery confirm`: three lines `NUMBER WORD` on standard input. */
export const runRecoveryConfirm = (context: Context, typed: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const pairs = typed.split('\n').flatMap((line) => {
      const [, position, word] = wordLine.exec(line) ?? []
      return position === undefined || word === undefined
        ? []
        : [[String(Number(position)), word.toLowerCase()]]
    })
    if (pairs.length < 3) {
      throw new UsageError('E_RECOVERY_WORDS', 'three of the words are needed, each with its number', {
        hint: 'One a line on standard input, as in: 3 abandon',
      })
    }
    await face.dispatch('confirm-recovery', { words: Object.fromEntries(pairs) as Record<string, string> })
    return outcome({ confirmed: true }, 'The words are right; this device has erased its copy.')
  })

function eraseHome(paths: HomePaths): void {
  const store = basename(paths.store)
  const ours = ['format', 'key.json', 'ports.json', 'api.json', 'sotto.log']
  for (const name of readdirSync(paths.home)) {
    const known =
      ours.includes(name) ||
      name === store ||
      name.startsWith(`${store}.`) ||
      /^\w+\.json\.\d+\.new$/.test(name)
    if (known) rmSync(`${paths.home}/${name}`, { recursive: true, force: true })
  }
  if (readdirSync(paths.home).length === 0) rmdirSync(paths.home)
}

/** `sotto wipe --yes` */
export async function runWipe(context: Context, yes: boolean): Promise<Outcome> {
  const { deps, io, options } = context
  const paths = pathsOf(io, options)
  if (!homeExists(paths)) throw noAccount()
  const question = `Erase everything in ${paths.home}? It cannot be undone.`
  if (!yes && !(await confirmed(context, question)))
    throw new UsageError('E_CONFIRM', 'erasing needs --yes', { hint: 'Nothing was changed.' })
  const daemon = await findDaemon(paths.api)
  if (daemon !== undefined) {
    daemon.close()
    throw new UsageError('E_HOME_LOCKED', 'this home is in use', { hint: 'End it first: sotto down' })
  }
  // Taking the lock proves that nobody else has the home open; a home that cannot be opened may still be erased.
  const node = await openHere(deps, io, options, null).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'E_HOME_LOCKED') throw error
    return undefined
  })
  await node?.stop()
  eraseHome(paths)
  return outcome({ wiped: paths.home }, `Erased ${paths.home}`)
}

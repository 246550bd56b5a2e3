import { statSync } from 'node:fs'
import { PortError, UsageError } from '@sotto/core/ports'
import { Secret } from '@sotto/core/crypto'
import type { CryptoProvider, PasswordCost } from '@sotto/core/crypto'
import { concat, fromBase64Url, toBase64Url, utf8 } from '@sotto/core/wire'
import { z } from 'zod'
import { nodeLimits } from '../limits.ts'
import { createFile, parseJson, readSmallFile } from './files.ts'

/** How the key of the store is kept. */
export type KeyProtection = 'passphrase' | 'file'

/** The parts of a CryptoProvider a key file needs. */
export type KeyCrypto = Pick<CryptoProvider, 'argon2id' | 'seal' | 'open'>

/** Cost of a new passphrase (RFC 9106 §4, second recommendation): 64 MiB, three passes. */
export const passphraseCost: PasswordCost = { memoryKiB: 64 * 1024, passes: 3 }

const base64 = (bytes: number) =>
  z.string().refine((text) => fromBase64Url(text)?.length === bytes, { message: 'wrong length' })

const keyFile = z.discriminatedUnion('protection', [
  z.strictObject({ version: z.literal(1), protection: z.literal('file'), key: base64(32) }),
  z.strictObject({
    version: z.literal(1),
    protection: z.literal('passphrase'),
    memoryKiB: z.int(),
    passes: z.int(),
    salt: base64(16),
    nonce: base64(24),
    sealed: base64(48),
  }),
])
type KeyFile = z.infer<typeof keyFile>
type SealedKey = Extract<KeyFile, { protection: 'passphrase' }>

const damaged = (): PortError =>
  new PortError('E_KEY_DAMAGED', 'the key file of this home cannot be read', {
    hint: 'Restore key.json from a copy of this home; without it the store stays closed.',
  })

const bytesOf = (text: string): Uint8Array => fromBase64Url(text) ?? new Uint8Array()

/** What the seal of the key binds: the label and the cost, so that neither can be changed. */
const bound = (cost: PasswordCost, salt: Uint8Array): Uint8Array =>
  concat(utf8(`sotto/home-key/1 ${cost.memoryKiB} ${cost.passes} `), salt)

function checkCost({ memoryKiB, passes }: PasswordCost): void {
  const { passwordMemoryMinKiB, passwordMemoryMaxKiB, passwordPassesMin, passwordPassesMax } = nodeLimits
  const within =
    memoryKiB >= passwordMemoryMinKiB &&
    memoryKiB <= passwordMemoryMaxKiB &&
    passes >= passwordPassesMin &&
    passes <= passwordPassesMax
  if (within) return
  throw new PortError('E_KEY_COST', 'the key file asks for a passphrase cost outside the allowed range', {
    hint: 'The file was changed: restore key.json from a copy of this home.',
  })
}

const passphraseBytes = (passphrase: string): Uint8Array => utf8(passphrase.normalize('NFC'))

function sealKey(crypto: KeyCrypto, key: Uint8Array, passphrase: string, random: RandomBytes): SealedKey {
  const salt = random(16)
  const nonce = random(24)
  const wrap = crypto.argon2id(passphraseBytes(passphrase), salt, passphraseCost)
  const sealed = crypto.seal(wrap, nonce, key, bound(passphraseCost, salt))
  wrap.fill(0)
  const text = { salt: toBase64Url(salt), nonce: toBase64Url(nonce), sealed: toBase64Url(sealed) }
  return { version: 1, protection: 'passphrase', ...passphraseCost, ...text }
}

function openKey(crypto: KeyCrypto, file: SealedKey, passphrase: string): Secret {
  const cost = { memoryKiB: file.memoryKiB, passes: file.passes }
  checkCost(cost)
  const salt = bytesOf(file.salt)
  const wrap = crypto.argon2id(passphraseBytes(passphrase), salt, cost)
  const key = crypto.open(wrap, bytesOf(file.nonce), bytesOf(file.sealed), bound(cost, salt))
  wrap.fill(0)
  if (key !== undefined) return new Secret(key)
  throw new UsageError('E_PASSPHRASE_WRONG', 'this passphrase does not open this home')
}

type RandomBytes = (length: number) => Uint8Array

/** Refuses a key that other users of this machine could have read. */
function checkPermissions(path: string): void {
  if (process.platform === 'win32') return
  if ((statSync(path).mode & 0o077) === 0) return
  throw new PortError('E_KEY_PERMISSIONS', 'other users of this machine can read the key of this home', {
    hint: `Allow it to yourself alone: chmod 600 ${path}`,
  })
}

function parse(text: string): KeyFile {
  const parsed = keyFile.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw damaged()
}

/** How the key at `path` is kept; undefined when there is none. */
export function keyProtection(path: string): KeyProtection | undefined {
  const text = readSmallFile(path)
  return text === undefined ? undefined : parse(text).protection
}

export interface KeyOptions {
  readonly crypto: KeyCrypto
  readonly random: RandomBytes
  /** Asked for once, only when there is something to seal or open; undefined when nobody can answer. */
  readonly passphrase: (purpose: 'new' | 'open') => Promise<string | undefined>
}

async function makeKey(path: string, options: KeyOptions): Promise<Secret | undefined> {
  const key = options.random(32)
  const passphrase = await options.passphrase('new')
  const file: KeyFile =
    passphrase === undefined
      ? { version: 1, protection: 'file', key: toBase64Url(key) }
      : sealKey(options.crypto, key, passphrase, options.random)
  return createFile(path, `${JSON.stringify(file)}\n`) ? new Secret(key) : undefined
}

/**
 * Opens the key of a home, or makes one: sealed under a passphrase when one is given, else in a file only this
 * user may read. Errors: `E_KEY_PERMISSIONS`, `E_KEY_DAMAGED`, `E_KEY_COST`, `E_PASSPHRASE_NEEDED`,
 * `E_PASSPHRASE_WRONG`.
 */
export async function loadKey(path: string, options: KeyOptions): Promise<Secret> {
  if (readSmallFile(path) === undefined) {
    const made = await makeKey(path, options)
    if (made !== undefined) return made
  }
  checkPermissions(path)
  const file = parse(readSmallFile(path) ?? '')
  if (file.protection === 'file') return new Secret(bytesOf(file.key))
  const passphrase = await options.passphrase('open')
  if (passphrase !== undefined) return openKey(options.crypto, file, passphrase)
  throw new UsageError('E_PASSPHRASE_NEEDED', 'this home is sealed under a passphrase', {
    hint: 'Give it with --passphrase-file FILE.',
  })
}

import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Names the folder a recorded process writes to. */
export const recordFolderVariable = 'SOTTO_TEST_SEALS'

/** One sealing: digests of key and nonce together, of each alone, and of the plaintext. */
export interface SealLine {
  readonly pair: string
  readonly key: string
  readonly nonce: string
  readonly text: string
}

export const sealLine = ({ pair, key, nonce, text }: SealLine): string => `${pair} ${key} ${nonce} ${text}\n`

/** Reads a file of lines; the last may be torn. */
export function readSealLines(text: string): readonly SealLine[] {
  return text.split('\n').flatMap((line) => {
    const [pair, key, nonce, plain, ...more] = line.split(' ')
    const whole = plain?.length === 32 && more.length === 0
    return whole ? [{ pair: pair!, key: key!, nonce: nonce!, text: plain }] : []
  })
}

/** What the recorded processes sealed, all together. */
export interface SealReport {
  readonly processes: number
  readonly seals: number
  readonly messageKeys: number
  /** (key, nonce) used twice, in whichever processes. Must be 0. */
  readonly pairsTwice: number
  /** Message keys that one process sealed two different texts under. Must be 0. */
  readonly keysTwiceInOneProcess: number
  /**
   * Message keys of two processes: the first was killed between sealing and committing, so its frame never left;
   * the second began again from the state before, under a fresh nonce.
   */
  readonly keysBegunAgain: number
}

/** The body of a message is sealed right after its header, under the header's nonce and a key of its own. */
const bodies = (lines: readonly SealLine[]): readonly SealLine[] =>
  lines.filter(({ nonce, key }, at) => lines[at - 1]?.nonce === nonce && lines[at - 1]?.key !== key)

/** Judges the lines of each process. */
export function judgeSeals(files: readonly (readonly SealLine[])[]): SealReport {
  const pairs = new Set<string>()
  const owners = new Map<string, number>()
  const again = new Set<string>()
  let [seals, pairsTwice, keysTwiceInOneProcess] = [0, 0, 0]
  for (const [file, lines] of files.entries()) {
    for (const { pair } of lines) {
      seals += 1
      if (pairs.has(pair)) pairsTwice += 1
      pairs.add(pair)
    }
    const texts = new Map<string, string>()
    for (const { key, text } of bodies(lines)) {
      if ((texts.get(key) ?? text) !== text) keysTwiceInOneProcess += 1
      texts.set(key, text)
      if ((owners.get(key) ?? file) !== file) again.add(key)
      owners.set(key, file)
    }
  }
  const messageKeys = owners.size
  return {
    processes: files.length,
    seals,
    messageKeys,
    pairsTwice,
    keysTwiceInOneProcess,
    keysBegunAgain: again.size,
  }
}

/** Reads and judges what every process wrote. */
export async function readSeals(folder: string): Promise<SealReport> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.seals')).sort()
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return judgeSeals(files.map(readSealLines))
}

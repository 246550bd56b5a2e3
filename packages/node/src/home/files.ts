import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { PortError } from '@sotto/core/ports'
import { nodeLimits } from '../limits.ts'

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** Whether a call failed with this code of the operating system. */
export const failedWith = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes(codeOf(error) ?? '')

/** The text of a small file of the home; undefined when there is none. */
export function readSmallFile(path: string): string | undefined {
  try {
    if (statSync(path).size > nodeLimits.homeFileBytes) {
      throw new PortError('E_HOME_DAMAGED', 'a file of this home is far longer than it can be')
    }
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (failedWith(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Parses JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Writes a file of mode 0600 whole or not at all, replacing an earlier one. */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`
  writeDurably(draft, text)
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** Writes a file of mode 0600 whole or not at all; false when one was there before. */
export function createFile(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}.new`
  writeDurably(draft, text)
  try {
    linkSync(draft, path)
    syncFolder(dirname(path))
    return true
  } catch (error) {
    if (failedWith(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

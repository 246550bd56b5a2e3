/** Running other programs, for scripts that may rely on nothing but Node itself. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program at the root with its output passed through; resolves to its exit code. */
export function run(command, args, { env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' })
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`)
      resolve(127)
    })
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** Runs a program at the root and keeps what it prints; resolves to its exit code and that text. */
export function capture(command, args, { env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.stderr.on('data', (chunk) => (text += chunk))
    child.once('error', (error) => resolve({ code: 127, text: `${command}: ${error.message}\n` }))
    child.once('close', (code) => resolve({ code: code ?? 1, text }))
  })
}

/** Runs a package script quietly, as `npm run` would. */
export const npmRun = (name) => ['npm', ['run', '--silent', name]]

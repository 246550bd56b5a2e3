/** Running other programs, for scripts that may rely on nothing but Node itself. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a program at the root with its output passed through; resolves to its exit code. One that has not
 * ended after `limitMs` is killed with all it started, and counts as failed. What it says goes to `stdout`, a stream's
 * number, where that is not to be this process's own.
 */
export function run(command, args, { env = process.env, limitMs, stdout = 'inherit' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: ['inherit', stdout, 'inherit'],
      detached: limitMs !== undefined,
    })
    if (limitMs !== undefined) endAfter(child, limitMs)
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`)
      resolve(127)
    })
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** Kills a child's whole process group when its time is up; it goes, too, when this process is interrupted. */
function endAfter(child, limitMs) {
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
  const timer = setTimeout(() => {
    console.error(`\n${child.spawnargs[0]} did not end within ${limitMs / 60_000} minutes: killed`)
    end()
  }, limitMs)
  const interrupted = () => {
    end()
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted)
  child.once('exit', () => {
    clearTimeout(timer)
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted)
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

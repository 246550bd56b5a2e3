import type { Command } from 'commander'
import type { Context } from './context.ts'
import type { Outcome } from './io.ts'

/** What carries a command out, given its arguments and its own options. */
export type Run = (
  context: Context,
  args: readonly string[],
  given: Given,
) => Promise<Outcome | undefined> | Outcome

/** Options of one command as commander gives them; each command knows its own. */
export type Given = Readonly<Record<string, unknown>>

/** Ties a command to what carries it out. */
export type Bind = (command: Command, run: Run) => Command

/** For commands that print by themselves. */
export const done = async (work: Promise<void>): Promise<undefined> => {
  await work
  return undefined
}

/** An argument that commander made sure of. */
export const arg = (args: readonly string[], at: number): string => args[at] ?? ''

/** Adds the options that say how a node is reached. */
export const reach = (command: Command): Command =>
  command
    .option('--listen <ma...>', 'addresses to listen on')
    .option('--bootstrap <ma...>', 'peers to find others through; remembered')
    .option('--relay <ma...>', 'relays to use; remembered')
    .option('--no-mdns', 'do not look for others on this network')

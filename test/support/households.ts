import { cp } from 'node:fs/promises'
import { expect } from 'chai'
import { linkCommand } from './link-command.ts'
import type { RealNode } from './real-node.ts'

/** Looks again every so often; the test's own time limit ends it. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 500))
}

/** Runs a command line that is expected to go well. */
export async function ok<T>(node: RealNode, ...args: readonly string[]): Promise<T> {
  const ran = await node.cli(...args)
  expect(ran.code, `${args.join(' ')}: ${ran.out}${ran.err}`).to.equal(0)
  return ran.json
}

/** The account of a home whose daemon is up. */
export async function accountOf({ face }: RealNode): Promise<string> {
  const self = await face.view('self', {})
  expect(self).not.to.equal(null)
  return self!.accountId
}

/** Makes two of them contacts of each other. */
export async function meet(inviter: RealNode, guest: RealNode): Promise<void> {
  const { link } = await inviter.face.dispatch('create-invite', { direct: true })
  const { accountId } = await guest.face.dispatch('add', { link })
  const self = await accountOf(guest)
  const connected = (node: RealNode, account: string) =>
    node.until(async () =>
      (await node.face.view('contacts', {})).some(
        (contact) => contact.accountId === account && contact.state === 'connected',
      ),
    )
  await Promise.all([connected(inviter, self), connected(guest, accountId)])
}

/** Links a home without an account to the account of one that is up, with all its history, and brings it up. */
export async function linkHome(old: RealNode, fresh: RealNode, bootstrap: string): Promise<void> {
  const offer = linkCommand(fresh.home, bootstrap)
  await ok(old, 'devices', 'approve', (await offer.shown).link, '--yes', '--history', 'all')
  expect((await offer.ended).code).to.equal(0)
  await fresh.up('--bootstrap', bootstrap)
}

/** Copies a home whose daemon has ended, so that one state is lived on from more than once. */
export const copyHome = (from: string, to: string): Promise<void> => cp(from, to, { recursive: true })

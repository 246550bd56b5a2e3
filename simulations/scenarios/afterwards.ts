import { toBase32 } from '@sotto/core/wire'
import type { SealedStore } from '../../packages/core/src/device/sealed-store.ts'
import { tables } from '../../packages/core/src/device/tables.ts'
import type { ConversationEpochs, EpochNode } from '../../packages/core/src/group/index.ts'
import type { Machine } from '../actors/machine.ts'
import { epochsIn, openHome } from '../laws/homes.ts'
import type { Said } from '../laws/ledger.ts'
import { epochMs } from '../world/host-clock.ts'
import type { Stage } from './stage.ts'

/** What the tables of a home are for, as far as people care how much of each there is. */
const partOf: Readonly<Record<string, string>> = {
  body: 'texts',
  record: 'signed records',
  place: 'signed records',
  'own-record': 'signed records',
  about: 'signed records',
  held: 'signed records',
  lacking: 'signed records',
  segment: 'segments and their documents',
  page: 'segments and their documents',
  file: 'segments and their documents',
  summary: 'segments and their documents',
  pairwise: 'sessions',
  peer: 'sessions',
  replay: 'sessions',
  prekeys: 'sessions',
  outbox: 'waiting to be sent',
  op: 'membership and epochs',
  epoch: 'membership and epochs',
  seed: 'membership and epochs',
  'epoch-log': 'membership and epochs',
  standing: 'membership and epochs',
  brought: 'membership and epochs',
  state: 'membership and epochs',
  log: 'device logs and contacts',
  contact: 'device logs and contacts',
  own: 'device logs and contacts',
  event: 'events and audit',
  audit: 'events and audit',
}

/**
 * Tells readers of the trace what is left in every home once all is over, as somebody would find it who has the whole
 * disk and the key to it: how much of what, and which epochs can still be opened; and for whom every message was.
 */
export async function tellHomes(stage: Stage): Promise<void> {
  const { trace, ledger } = stage.world
  if (!trace.isRead) return
  const nodes = new Map<string, EpochNode>()
  for (const machine of stage.everything()) {
    const home = await openHome(stage, machine)
    await tellParts(stage, machine, home)
    for (const epochs of await epochsIn(stage, home))
      for (const node of epochs.nodes.values()) {
        nodes.set(node.key, node)
        trace.tell('epoch-at', () => ({ host: machine.name, epoch: node.key, keys: keysOf(epochs, node) }))
      }
  }
  for (const node of nodes.values()) tellEpoch(stage, node)
  for (const said of ledger.said.values()) if (said.accepted && said.kind === 'message') tellSaid(stage, said)
}

/** Looks how large homes are become, so many times in a run. */
const looks = 48

/** Tells readers of the trace how homes grow while workload and faults go on. */
export function tellGrowth(stage: Stage): void {
  const { trace } = stage.world
  if (!trace.isRead) return
  const look = async (): Promise<void> => {
    for (const { name, disk } of stage.everything()) {
      const bytes = await disk.bytes()
      trace.tell('home', () => ({ host: name, bytes }))
    }
  }
  for (let n = 0; n <= looks; n++) stage.world.timeline.after((n * stage.lastsMs) / looks, () => void look())
}

async function tellParts(stage: Stage, { name }: Machine, home: SealedStore): Promise<void> {
  const parts = new Map<string, number>()
  for (const table of tables) {
    const part = partOf[table.name] ?? 'the rest'
    const rows = await home.list(table, { skipDamaged: true })
    const bytes = rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
    parts.set(part, (parts.get(part) ?? 0) + bytes)
  }
  for (const [part, bytes] of parts) stage.world.trace.tell('home-part', () => ({ host: name, part, bytes }))
}

/** Whether an epoch's messages can be opened here: now, not any more, or never. */
const keysOf = ({ keys }: ConversationEpochs, { key, seeded }: EpochNode): string =>
  (keys.get(key)?.chains.length ?? 0) > 0 ? 'held' : seeded ? 'erased' : 'never'

function tellEpoch({ world }: Stage, { key, record: { terms }, depth, recipients }: EpochNode): void {
  const hostOf = (device: Uint8Array): string =>
    world.ledger.ownerOf(toBase32(device))?.machine.name ?? 'somebody'
  world.trace.tell('epoch', () => ({
    epoch: key,
    room: toBase32(terms.conversation),
    begun: terms.timestampMs - epochMs,
    depth,
    turn: terms.route !== null,
    author: hostOf(terms.device),
    listed: recipients.map(({ device }) => hostOf(device)).join(),
  }))
}

/** For whom a message was by its own device, and who was out as far as that one knew. */
function tellSaid({ world }: Stage, said: Said): void {
  const { trace, ledger } = world
  const hosts = (devices: Iterable<string>): string =>
    [...devices].flatMap((device) => ledger.ownerOf(device)?.machine.name ?? []).join()
  const room = ledger.rooms.get(said.conversationId)
  const isShutOut = (device: string): boolean => {
    const machine = ledger.ownerOf(device)?.machine
    return room !== undefined && machine !== undefined && ledger.isClosed(said, machine, room)
  }
  trace.tell('written', () => ({
    room: said.conversationId,
    group: room?.group === true,
    message: said.messageId ?? '',
    host: said.machine,
    at: said.atMs,
    readers: hosts(said.readers ?? []),
    out: hosts([...said.out].filter((device) => isShutOut(device))),
  }))
}

/** A device whose keys, sessions and whole store are in the hands of somebody who writes what no device would. */
import { pad, unpad, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import type { Me } from '../../packages/core/src/device/context.ts'
import { headsOf } from '../../packages/core/src/device/logs.ts'
import {
  payloadFrame,
  payloadHeads,
  type Payload,
  type PayloadItem,
} from '../../packages/core/src/device/payload.ts'
import { directProtocol } from '../../packages/core/src/device/protocols.ts'
import {
  bodyRows,
  conversationRows,
  logRows,
  pairwiseRows,
  peerRows,
  recordRows,
  type Conversation,
} from '../../packages/core/src/device/tables.ts'
import {
  encodeBody,
  issueRecord,
  readRecord,
  recordKinds,
  segmentId,
  type IncomingRecord,
  type RecordDraft,
  type RecordHeader,
} from '../../packages/core/src/history/index.ts'
import { restoreLog, type AccountId } from '../../packages/core/src/identity/index.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import type { Network, Random } from '../../packages/core/src/ports/index.ts'
import {
  decodePairwise,
  openFrom,
  sealEntropyBytes,
  sealTo,
  type Pairwise,
} from '../../packages/core/src/session/index.ts'
import { equalBytes, fromHex, toHex } from '../../packages/core/src/wire/index.ts'
import type { Person, Town } from './devices.ts'
import { OpenedHome } from './opened-home.ts'

/** A record of the puppet's with what it travels in. */
export interface Forged {
  readonly header: RecordHeader
  readonly incoming: IncomingRecord
}

/** The line to one device: its session, and the channel while one is open. */
interface Line {
  pairwise: Pairwise
  channel: number | undefined
}

/** A member of everything its device was in, with real keys, that says what it is told to. */
export class Puppet {
  readonly crypto: CryptoProvider
  readonly random: Random
  readonly home: OpenedHome
  /** What it was told, with who told it. */
  readonly heard: { readonly from: string; readonly payload: Payload }[] = []
  readonly #town: Town
  readonly #network: Network
  readonly #lines = new Map<string, Line>()
  readonly #channels = new Map<number, string>()
  readonly #records = new Map<string, IncomingRecord[]>()

  private constructor(town: Town, home: OpenedHome, network: Network, name: string) {
    this.crypto = town.crypto
    this.random = seededRandom(town.crypto, `puppet ${name}`)
    this.home = home
    this.#town = town
    this.#network = network
    for (const peer of home.rows.all(peerRows)) {
      const row = home.rows.get(pairwiseRows, peer.device)
      const pairwise = row === undefined ? undefined : decodePairwise(row)
      if (pairwise !== undefined) this.#lines.set(peer.peerId, { pairwise, channel: undefined })
    }
  }

  /** Closes a device and takes its place with all it held. */
  static async possess(town: Town, person: Person): Promise<Puppet> {
    await person.close()
    const home = await OpenedHome.of(town.crypto, person, town.clock.nowMs())
    const network = town.hub.join(person.peerId, { protocols: [directProtocol] })
    const puppet = new Puppet(town, home, network, person.name)
    await puppet.#readRecords()
    network.listen((event) => {
      if (event.type === 'opened') puppet.#channels.set(event.channel, event.peer)
      if (event.type === 'closed') puppet.#lost(event.channel)
      if (event.type === 'frame') puppet.#hear(event.channel, event.frame)
      return undefined
    })
    return puppet
  }

  async #readRecords(): Promise<void> {
    const peers = new Map(this.home.rows.all(peerRows).map((peer) => [toHex(peer.device), peer.peerId]))
    for (const [id, value] of await this.home.raw(recordRows)) {
      const { bytes, signature } = recordRows.decode(value)
      const header = readRecord(this.crypto, bytes)
      const peerId = peers.get(toHex(header?.content.device ?? new Uint8Array()))
      if (signature === null || peerId === undefined) continue
      const said = (await this.home.rows.load(bodyRows, fromHex(id)))?.said ?? null
      this.#records.set(peerId, [...(this.#records.get(peerId) ?? []), { bytes, signature, said }])
    }
  }

  #lost(channel: number): void {
    this.#channels.delete(channel)
    for (const line of this.#lines.values()) if (line.channel === channel) line.channel = undefined
  }

  #hear(channel: number, frame: Uint8Array): void {
    const peer = this.#channels.get(channel) ?? ''
    const line = this.#lines.get(peer)
    const opened = line && openFrom(this.crypto, line.pairwise, frame, this.#town.clock.nowMs())
    if (line === undefined || opened?.ok !== true) return
    line.pairwise = opened.peer
    const plaintext = unpad(opened.plaintext)
    const payload = plaintext === undefined ? undefined : payloadFrame.decode(plaintext)
    if (payload?.ok === true) this.heard.push({ from: peer, payload: payload.value })
  }

  /** A payload of these items as the device itself would have framed it. */
  payload(to: Person, items: readonly PayloadItem[], change: Partial<Payload> = {}): Uint8Array {
    const { self } = this.home.me
    const peer = this.home.rows.all(peerRows).find((one) => one.peerId === to.peerId)
    if (peer === undefined) throw new Error(`${to.name} is unknown to the puppet`)
    return payloadFrame.encode({
      version: 1,
      boot: this.home.sealed.boot,
      bootSeen: peer.boot,
      sentAtMs: this.#town.clock.nowMs(),
      myLogHeads: this.headsOf(self.account),
      yourLogHeads: this.headsOf(peer.account),
      items,
      ...change,
    })
  }

  /** Heads of an account's device log as the device held them. */
  headsOf(account: AccountId) {
    const row = this.home.rows.get(logRows, account)
    return row === undefined
      ? []
      : headsOf(restoreLog(this.crypto, row.genesis, row.ops)).slice(0, payloadHeads)
  }

  /** Says these items to a device, in one payload, inside the session with it. */
  async say(to: Person, items: readonly PayloadItem[], change: Partial<Payload> = {}): Promise<void> {
    await this.utter(to, this.payload(to, items, change))
  }

  /** Says a payload byte for byte. */
  async utter(to: Person, plaintext: Uint8Array): Promise<void> {
    const line = this.#lines.get(to.peerId)
    if (line === undefined) throw new Error(`no session with ${to.name}`)
    const nowMs = this.#town.clock.nowMs()
    const entropy = this.random.bytes(sealEntropyBytes)
    const sealed = sealTo(this.crypto, line.pairwise, pad(plaintext), entropy, nowMs)
    if (!sealed.ok) throw new Error(`the session with ${to.name} does not send: ${sealed.reason}`)
    line.pairwise = sealed.peer
    await this.send(to, sealed.frame)
  }

  /** Puts a frame on a channel to a device, opening one where there is none. */
  async send(to: Person, frame: Uint8Array): Promise<void> {
    const line = this.#lines.get(to.peerId)
    if (line === undefined) throw new Error(`no session with ${to.name}`)
    if (line.channel === undefined) {
      const { channel } = await this.#network.open(to.peerId, [], directProtocol)
      line.channel = channel
      this.#channels.set(channel, to.peerId)
    }
    await this.#network.write(line.channel, frame)
    await this.#town.settle()
  }

  /** A conversation as the device held it. */
  conversation(id: Uint8Array): Conversation {
    const found = this.home.rows.get(conversationRows, id)
    if (found === undefined) throw new Error('the device was in no such conversation')
    return found
  }

  /** Signs a record, with its own keys or stolen ones: the device's next, but for what it is told to say. */
  forge(id: Uint8Array, part: Partial<RecordDraft> = {}, text = 'forged', as: Me = this.home.me): Forged {
    const { self, identity } = as
    const row = this.conversation(id)
    const { header, carried } = issueRecord(
      this.crypto,
      identity,
      {
        conversation: id,
        segment: segmentId(this.crypto, id, row.segment),
        kind: recordKinds.msg,
        account: self.account,
        device: self.device,
        aseq: row.aseq,
        sseq: row.sseq + 1,
        selfPrev: row.selfPrev,
        refs: [],
        xrefs: [],
        groupHeads: this.groupHeads(id),
        lamport: row.selfLamport + 1,
        timestampMs: this.#town.clock.nowMs(),
        ttlMs: null,
        target: null,
        history: 0,
        ...part,
      },
      encodeBody({ kind: 'msg', text }),
      this.random.bytes(32),
    )
    const { bytes, signature, salt, body } = carried
    return { header, incoming: { bytes, signature, said: { salt, body } } }
  }

  /** Heads that the newest records of a conversation cite. */
  groupHeads(id: Uint8Array): readonly Uint8Array[] {
    const all = [...this.#records.values()].flat().map(({ bytes }) => readRecord(this.crypto, bytes))
    const heads = all.filter((one) => one !== undefined && equalBytes(one.content.conversation, id))
    return heads.at(-1)?.content.groupHeads ?? []
  }

  /** Records of a device's own that its home holds, as they travel. */
  recordsOf(person: Person): readonly IncomingRecord[] {
    return this.#records.get(person.peerId) ?? []
  }

  /** Gives the device's place on the network back. */
  async leave(): Promise<void> {
    await this.#network.stop()
    await this.#town.settle()
  }

  /** Hexadecimal id of the device. */
  get deviceHex(): string {
    return toHex(this.home.me.self.device)
  }
}

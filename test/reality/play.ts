import { PortError, SottoError, type DeviceFace, type MessageView } from '@sotto/core'
import type { Place } from './place.ts'
import { devicesOf, type Script, type Step } from './script.ts'

/** What came of a script: what each device holds of the group, without what differs from world to world. */
export interface Outcome {
  readonly title: string
  /** Name, role and number of devices of everybody who is in. */
  readonly members: readonly string[]
  /** By device: its messages with edits, deletions and reactions, sorted. */
  readonly messages: Readonly<Record<string, readonly string[]>>
}

/** Plays a script: everybody meets, links their devices and gathers in one group; then the steps. */
export async function play(script: Script, place: Place): Promise<Outcome> {
  const player = new Player(script, place)
  await player.gather()
  for (const [i, step] of script.steps.entries())
    try {
      await player.step(step)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`step ${i}, ${step.kind}: ${why}`, { cause })
    }
  return player.outcome()
}

class Player {
  readonly #script: Script
  readonly #place: Place
  readonly #open = new Map<string, DeviceFace>()
  /** Ids of messages by their first text. */
  readonly #ids = new Map<string, string>()
  /** Texts each device must come to hold. */
  readonly #owed = new Map<string, Set<string>>()
  #group = ''
  #out = ''

  constructor(script: Script, place: Place) {
    this.#script = script
    this.#place = place
    for (const device of devicesOf(script)) this.#owed.set(device, new Set())
  }

  async gather(): Promise<void> {
    const people = Object.keys(this.#script.devices)
    for (const person of people) await this.#begin(`${person}-1`, person)
    for (const [i, inviter] of people.entries())
      for (const guest of people.slice(i + 1)) await this.#meet(`${inviter}-1`, `${guest}-1`)
    for (const [person, count] of Object.entries(this.#script.devices))
      for (let n = 2; n <= count; n++) await this.#link(`${person}-1`, `${person}-${n}`)
    const [owner = '', ...others] = people
    const members: string[] = []
    for (const person of others) members.push((await this.#run(this.#self(`${person}-1`))).accountId)
    const { conversationId } = await this.#run(
      this.#device(`${owner}-1`).dispatch('create-group', { name: 'title', members }),
    )
    this.#group = conversationId
    await this.#settle()
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'say':
        return this.#say(step.by, step.text)
      case 'edit':
        await this.#do(step.by, 'edit', { messageId: this.#id(step.of), text: step.text })
        return
      case 'take-back':
        await this.#do(step.by, 'delete', { messageId: this.#id(step.of) })
        return
      case 'react':
        await this.#do(step.by, 'react', { messageId: this.#id(step.of), emoji: step.emoji })
        return
      case 'rename':
        await this.#do(step.by, 'group-rename', { conversationId: this.#group, name: step.title })
        return
      case 'put-out': {
        const { accountId } = await this.#run(this.#self(`${step.person}-1`))
        await this.#do(step.by, 'group-remove', { conversationId: this.#group, accountId })
        this.#out = step.person
        return
      }
      case 'close':
        await this.#run(this.#place.close(step.device))
        this.#open.delete(step.device)
        return
      case 'open':
        this.#open.set(step.device, await this.#run(this.#place.open(step.device)))
        return
      case 'split':
        this.#place.split(step.side)
        return
      case 'heal':
        this.#place.heal()
        return
      case 'settle':
        return this.#settle()
    }
  }

  outcome = (): Promise<Outcome> => this.#run(this.#collect())

  async #collect(): Promise<Outcome> {
    const [first = ''] = this.#inside()
    const messages: Record<string, readonly string[]> = {}
    for (const device of this.#open.keys())
      messages[device] = (await this.#history(device)).map(shownAs).sort()
    return { title: await this.#title(first), members: await this.#members(first), messages }
  }

  async #begin(device: string, person: string): Promise<void> {
    this.#open.set(device, await this.#run(this.#place.open(device, person)))
    await this.#do(device, 'add-relay', { address: this.#place.relayAddress })
  }

  async #meet(inviter: string, guest: string): Promise<void> {
    const conversationId = await this.#invite(inviter, guest)
    await this.#place.until(async () => {
      const known = await this.#device(inviter).view('conversations', {})
      return known.some((one) => one.conversationId === conversationId) ? undefined : `${inviter} met nobody`
    })
  }

  /** As people do: who cannot be reached now is tried again. */
  async #invite(inviter: string, guest: string): Promise<string> {
    const { link } = await this.#run(this.#device(inviter).dispatch('create-invite', { direct: true }))
    const relayHints = [this.#place.relayAddress]
    let met: string | undefined
    await this.#place.until(async () => {
      const added = await this.#device(guest)
        .dispatch('add', { link, relayHints })
        .catch((error: unknown) => {
          if (error instanceof PortError && error.retryable) return undefined
          throw error
        })
      met = added?.conversationId
      return met === undefined ? `${guest} cannot reach ${inviter}` : undefined
    })
    return met ?? ''
  }

  async #link(old: string, fresh: string): Promise<void> {
    this.#open.set(fresh, await this.#run(this.#place.open(fresh)))
    await this.#place.until(async () =>
      (await this.#tryLink(old, fresh)) ? undefined : `${fresh} has no account`,
    )
    await this.#do(fresh, 'add-relay', { address: this.#place.relayAddress })
  }

  /** Whether the new device has its account; what broke off on the way is begun anew, as people do. */
  async #tryLink(old: string, fresh: string): Promise<boolean> {
    const both = [this.#device(fresh), this.#device(old)] as const
    const [device, approver] = both
    try {
      if ((await device.view('self', {})) !== null) return true
      const { link } = await device.dispatch('link-offer', { deviceName: fresh })
      await approver.dispatch('link-approve', { code: link, history: 'all' })
      await Promise.all(both.map((one) => one.dispatch('link-confirm', { match: true })))
      return (await device.view('self', {})) !== null
    } catch (error) {
      if (error instanceof SottoError) return false
      throw error
    }
  }

  async #say(by: string, text: string): Promise<void> {
    const { messageId } = await this.#run(
      this.#device(by).dispatch('send', { conversationId: this.#group, text }),
    )
    this.#ids.set(text, messageId)
    for (const [device, owed] of this.#owed) if (!this.#isOut(device)) owed.add(messageId)
  }

  async #do<K extends Parameters<DeviceFace['dispatch']>[0]>(
    by: string,
    kind: K,
    input: Parameters<DeviceFace['dispatch']>[1],
  ): Promise<void> {
    await this.#run(this.#device(by).dispatch(kind, input as never))
  }

  #settle(): Promise<void> {
    return this.#place.until(() => this.#left())
  }

  /**
   * What still has to happen on devices that are there. Whether authors know that all arrived is not asked: an
   * acknowledgement may wait for the next try of somebody who could not be reached, and those are minutes apart.
   */
  async #left(): Promise<string | undefined> {
    const held = new Map<string, string>()
    for (const name of this.#inside()) {
      const device = this.#device(name)
      const { held: waiting } = await device.view('status', {})
      if (waiting > 0) return `${name} holds ${waiting} back`
      const { json } = await device
        .view('export', { conversationId: this.#group })
        .catch(() => ({ json: '' }))
      const missing = [...(this.#owed.get(name) ?? [])].filter((id) => !json.includes(id))
      if (json === '' || missing.length > 0) return `${name} misses ${missing.length} messages`
      held.set(name, [await this.#title(name), ...(await this.#members(name)), ...bodyOf(json)].join('\n'))
    }
    return new Set(held.values()).size > 1 ? `${[...held.keys()].join()} hold different things` : undefined
  }

  async #history(device: string): Promise<readonly MessageView[]> {
    const page = await this.#device(device).view('history', { conversationId: this.#group, limit: 1_000 })
    return page.messages
  }

  async #title(device: string): Promise<string> {
    const all = await this.#device(device).view('conversations', {})
    return all.find(({ conversationId }) => conversationId === this.#group)?.name ?? ''
  }

  async #members(device: string): Promise<readonly string[]> {
    const members = await this.#device(device).view('members', { conversationId: this.#group })
    const names = new Map<string, string>()
    for (const person of Object.keys(this.#script.devices))
      names.set((await this.#self(`${person}-1`)).accountId, person)
    return members
      .map(({ accountId, role, devices }) => `${names.get(accountId) ?? '?'} ${role} ${devices.length}`)
      .sort()
  }

  async #self(device: string): Promise<{ readonly accountId: string }> {
    const self = await this.#device(device).view('self', {})
    if (self === null) throw new Error(`${device} has no account`)
    return self
  }

  #inside = (): readonly string[] => [...this.#open.keys()].filter((device) => !this.#isOut(device))
  #isOut = (device: string): boolean => this.#out !== '' && device.startsWith(this.#out)
  #id = (text: string): string => this.#ids.get(text) ?? ''
  #run = <T>(work: Promise<T>): Promise<T> => this.#place.run(work)

  #device(name: string): DeviceFace {
    const device = this.#open.get(name)
    if (device === undefined) throw new Error(`${name} is not there`)
    return device
  }
}

/** The lines of a canonical export that are messages. */
const bodyOf = (json: string): readonly string[] =>
  json.split('\n').filter((line) => line.startsWith('{"messageId"'))

/** A message as every world must show it. */
const shownAs = ({ author, text, edited, deleted, reactions }: MessageView): string =>
  JSON.stringify([author.name, text, edited, deleted, reactions.map(({ emoji, by }) => [emoji, by.length])])

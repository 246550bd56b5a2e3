import { expect } from 'chai'
import type { MemberView, MessageView } from '@sotto/core'
import { Ledger } from '../../simulations/laws/ledger.ts'
import type { Watched } from '../../simulations/laws/watched.ts'

const markerChars = 4

/** What the ledger asks of a device. */
const machineOf = (name: string, person: string): Watched => {
  const account = { person, accountId: person, sinceMs: 0, madeMs: 0, bornMs: 0, device: undefined }
  return { name, home: name, deviceId: name, ...account } as Watched
}

const membersOf = (...machines: readonly Watched[]): readonly MemberView[] =>
  machines.map(({ accountId, deviceId }) => ({ accountId, devices: [{ deviceId }] }) as unknown as MemberView)

/** Ada has three devices; her laptop has removed her phone, and Bob, who knows of it, writes to her and himself. */
function stage() {
  const out = new Map<string, Set<string>>()
  const revokedFor = ({ name }: Watched): Set<string> => {
    const known = out.get(name) ?? new Set<string>()
    out.set(name, known)
    return known
  }
  const ledger = new Ledger({ nowMs: () => 0, revokedFor }, markerChars)
  const [phone, laptop, tablet, bob] = [
    machineOf('phone', 'ada'),
    machineOf('laptop', 'ada'),
    machineOf('tablet', 'ada'),
    machineOf('bob', 'bob'),
  ] as const
  for (const machine of [phone, laptop, tablet, bob]) ledger.introduce(machine)
  ledger.open('room', false, ['ada', 'bob'])
  ledger.removed(ledger.removing(laptop, phone), laptop)
  for (const one of [laptop, bob]) revokedFor(one).add(phone.deviceId)
  const said = ledger.intend(bob, 'm001 after the removal', 'room')
  ledger.accept(said, 'id', membersOf(laptop, tablet, bob))
  const message = {
    messageId: 'id',
    conversationId: 'room',
    text: said.text,
    author: { accountId: 'bob', deviceId: 'bob' },
    reactions: [],
  } as unknown as MessageView
  const read = (): readonly string[] => {
    ledger.judge(phone, message)
    return ledger.violations.map(({ law }) => law)
  }
  return { ledger, phone, laptop, tablet, revokedFor, read }
}

describe('simulations: the ledger, on who reads what', () => {
  it('a removed device reads nothing of who knew that it is out', () => {
    expect(stage().read()).to.deep.equal(['removed-blind'])
  })

  it('it may, once the device that removed it was removed by one that did not know of that', () => {
    const { ledger, laptop, tablet, read } = stage()
    ledger.removed(ledger.removing(tablet, laptop), tablet)
    expect(read()).to.deep.equal([])
  })

  it('it still may when its person left the room later on', () => {
    const { ledger, laptop, tablet, read } = stage()
    ledger.removed(ledger.removing(tablet, laptop), tablet)
    ledger.rooms.get('room')?.removals.push({ by: 'ada', target: 'ada', atMs: 1 })
    expect(read()).to.deep.equal([])
  })

  it('it may not, when its person left and its removal stands', () => {
    const { ledger, read } = stage()
    ledger.rooms.get('room')?.removals.push({ by: 'ada', target: 'ada', atMs: 1 })
    expect(read()).to.deep.equal(['removed-blind'])
  })

  it('it may not, when the one that removed its remover did know', () => {
    const { ledger, phone, laptop, tablet, revokedFor, read } = stage()
    revokedFor(tablet).add(phone.deviceId)
    ledger.removed(ledger.removing(tablet, laptop), tablet)
    expect(read()).to.deep.equal(['removed-blind'])
  })

  it('it may not, when another removal of it stands', () => {
    const { ledger, phone, laptop, tablet, read } = stage()
    ledger.removed(ledger.removing(tablet, laptop), tablet)
    ledger.removed(ledger.removing(tablet, phone), tablet)
    expect(read()).to.deep.equal(['removed-blind'])
  })
})

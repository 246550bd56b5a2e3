import { expect } from 'chai'
import fc from 'fast-check'
import { recordPlaintextBytes } from '../../../packages/core/src/discovery/index.ts'
import {
  inviteKeys,
  renewInvite,
  revokeInvite,
  useInvite,
  type AccountId,
} from '../../../packages/core/src/identity/index.ts'
import { openInvite, type InviteFindings } from '../../../packages/core/src/identity/invite-open.ts'
import {
  openInviteCopy,
  readInviteRecord,
  sealInviteCopy,
} from '../../../packages/core/src/identity/invite-record.ts'
import { limits } from '../../../packages/core/src/index.ts'
import { equalBytes } from '../../../packages/core/src/wire/index.ts'
import { bytesOf, crypto, dayMs, Household, inviteOf, nowMs, recordBy } from './invite-world.ts'

const home = new Household('ada')
const laptop = home.found('laptop')
const phone = home.add(laptop, 'phone')
const invite = inviteOf(home)
const keys = inviteKeys(crypto, invite)
const record = recordBy(home, laptop, invite)

const open = (findings: Partial<InviteFindings>, atMs = nowMs) =>
  openInvite(crypto, invite, { copies: [], records: [], ...findings }, atMs)
const resultOf = (findings: Partial<InviteFindings>, atMs = nowMs): string => open(findings, atMs).result
const copyOf = (input: Uint8Array): Uint8Array => sealInviteCopy(crypto, keys, input, bytesOf('nonce', 24))

describe('identity/invite record', () => {
  it('opens from the DHT, from a relay and from both', () => {
    for (const findings of [
      { records: [record] },
      { copies: [copyOf(record)] },
      { records: [record], copies: [copyOf(record)] },
    ]) {
      const opened = open(findings)
      if (opened.result !== 'ok') throw new Error(opened.result)
      expect(opened.invite.name).to.equal('Ada')
      expect(opened.invite.inviter.device).to.deep.equal(laptop.device)
      expect(opened.invite.bundles[0]?.certificate.device).to.deep.equal(laptop.device)
      expect(opened.invite.intro?.writerSeed).to.deep.equal(bytesOf('invite intro'))
      expect(opened.invite.log.entries).to.have.length(home.log.entries.length)
      expect([opened.invite.seq, opened.invite.uses]).to.deep.equal([1, 1])
    }
  })

  it('says what became of the invite, each with its own code', () => {
    const verdict = useInvite(invite, new Uint8Array(32) as AccountId, nowMs)
    const used = verdict.verdict === 'accepted' ? verdict.value : invite
    const by = (state: typeof invite) => recordBy(home, laptop, state)
    const codes = [
      [open({ records: [by(used)] }), 'used', 'E_INVITE_USED', false],
      [open({ records: [by(revokeInvite(invite))] }), 'revoked', 'E_INVITE_REVOKED', false],
      [open({ records: [record] }, invite.expiresAtMs), 'expired', 'E_INVITE_EXPIRED', false],
      [open({}), 'not-found', 'E_INVITE_UNREACHABLE', true],
      [open({ records: [new Uint8Array(40)] }), 'invalid', 'E_INVITE_UNREACHABLE', true],
      [open({ copies: [new Uint8Array(40)] }), 'not-found', 'E_INVITE_UNREACHABLE', true],
    ] as const
    for (const [opened, result, code, retryable] of codes)
      expect(opened).to.include({ result, code, retryable })
    expect(resultOf({ records: [record] }, invite.expiresAtMs - 1)).to.equal('ok')
  })

  it('carries no keys once it is used or revoked', () => {
    const closed = readInviteRecord(recordBy(home, laptop, revokeInvite(invite)))!.record
    expect([closed.bundles, closed.intro, closed.group]).to.deep.equal([[], null, null])
  })

  it('into a group names it and the devices that may let in, as far as there is room and they are sound', () => {
    const others = ['Bob', 'Cy', 'Dee', 'Eve', 'Fay', 'Gus'].map((name) => {
      const house = new Household(name)
      const own = house.found('desk')
      return { log: house.log, device: own.device, bundle: house.bundle(own, 1) }
    })
    const [bob, cy, dee] = others
    const swapped = { ...cy!, bundle: dee!.bundle }
    const terms = { conversation: bytesOf('group'), invite: bytesOf('operation'), name: 'Walkers' }
    const input = recordBy(home, laptop, invite, { group: { ...terms, ways: [bob!, swapped, ...others] } })
    expect(input.length).to.be.at.most(limits.inviteRecordBytes)
    const read = readInviteRecord(input)!.record
    expect(read.group?.ways.length).to.be.within(2, limits.inviteWays)
    const opened = open({ records: [input] })
    if (opened.result !== 'ok') throw new Error(opened.result)
    const { group } = opened.invite
    expect(group).to.include({ name: 'Walkers' })
    expect(group?.ways[0]?.device.device).to.deep.equal(bob!.device)
    expect(group?.ways.some(({ log }) => equalBytes(log.account.id, cy!.log.account.id))).to.equal(false)
    const over = recordBy(home, laptop, revokeInvite(invite), { group: { ...terms, ways: [bob!] } })
    expect(readInviteRecord(over)?.record.group).to.deep.equal({ ...terms, ways: [] })
    expect(open({ records: [over] })).to.deep.include({ result: 'revoked', conversation: terms.conversation })
  })

  it('lets the highest seq speak, from wherever it comes', () => {
    const newer = recordBy(home, phone, renewInvite(invite), { name: 'Ada L' })
    const revoked = recordBy(home, phone, revokeInvite(renewInvite(invite)))
    for (const records of [
      [record, newer],
      [newer, record],
    ]) {
      const opened = open({ records })
      expect(opened.result === 'ok' && opened.invite.name).to.equal('Ada L')
    }
    expect(resultOf({ records: [record], copies: [copyOf(revoked)] })).to.equal('revoked')
    expect(resultOf({ records: [revoked], copies: [copyOf(record)] })).to.equal('revoked')
  })

  it('is not to be replaced by who holds the link', () => {
    // Mallory has the link: every key that comes from its secret, and the genuine record.
    const mallory = new Household('mallory')
    const hers = mallory.found('laptop')
    const stolen = { ...invite, seq: 99 }
    const forgeries = [
      recordBy(mallory, hers, stolen),
      // Her device, the victim's log and genesis.
      recordBy(home, { ...laptop, identity: hers.identity }, stolen, { bundles: [mallory.bundle(hers)] }),
      // The genuine body under another signature.
      (() => {
        const changed = record.slice()
        changed[changed.length - 1]! ^= 1
        return changed
      })(),
    ]
    for (const forged of forgeries) {
      expect(resultOf({ records: [forged] })).to.equal('invalid')
      expect(resultOf({ copies: [copyOf(forged)] })).to.equal('invalid')
      const opened = open({ records: [forged, record], copies: [copyOf(forged)] })
      expect(opened.result === 'ok' && opened.invite.name).to.equal('Ada')
    }
  })

  it('is not moved to another invite of the same account', () => {
    const other = { ...invite, secret: inviteOf(new Household('other')).secret }
    expect(openInvite(crypto, other, { copies: [], records: [record] }, nowMs).result).to.equal('invalid')
  })

  it('does not count when its device was revoked, as far as any log found says', () => {
    const family = new Household('eve')
    const first = family.found('first')
    const stolen = family.add(first, 'stolen')
    const theirs = inviteOf(family)
    const byThief = recordBy(family, stolen, { ...theirs, seq: 50 })
    const judge = (findings: Partial<InviteFindings>) =>
      openInvite(crypto, theirs, { copies: [], records: [], ...findings }, nowMs)
    expect(judge({ records: [byThief] }).result, 'before anybody says otherwise').to.equal('ok')
    const revoke = family.revoke(first, stolen)
    const byOwner = recordBy(family, first, theirs, { name: 'Eve' })
    const opened = judge({ records: [byThief, byOwner] })
    expect(opened.result === 'ok' && opened.invite.name).to.equal('Eve')
    expect(judge({ records: [byThief], ops: [revoke.bytes] }).result, 'a known log is enough').to.equal(
      'revoked',
    )
    expect(() => recordBy(family, stolen, theirs))
      .to.throw()
      .with.property('code', 'E_DEVICE_NOT_ACTIVE')
  })

  it('shows only bundles of active devices, and none that expired', () => {
    const family = new Household('eve')
    const first = family.found('first')
    const gone = family.add(first, 'gone')
    const stranger = new Household('mallory')
    const hers = stranger.found('laptop')
    const old = family.bundle(gone)
    family.revoke(first, gone)
    const theirs = inviteOf(family)
    const bundles = [family.bundle(first), old, stranger.bundle(hers), new Uint8Array(50)]
    const found = { copies: [], records: [recordBy(family, first, theirs, { bundles })] }
    const opened = openInvite(crypto, theirs, found, nowMs)
    expect(
      opened.result === 'ok' && opened.invite.bundles.map(({ certificate }) => certificate.device),
    ).to.deep.equal([first.device])
    const long = { ...theirs, expiresAtMs: nowMs + 300 * dayMs }
    const late = recordBy(family, first, long, { bundles })
    expect(openInvite(crypto, long, { copies: [], records: [late] }, nowMs + 200 * dayMs).result).to.equal(
      'not-found',
    )
  })

  it('looks at a bounded number of candidates, relays first', () => {
    const junk = Array.from({ length: 1_000 }, (_, i) => bytesOf(`junk ${i}`, 200))
    expect(resultOf({ records: [...junk, record] })).to.equal('invalid')
    expect(resultOf({ records: [...junk, record], copies: [copyOf(record)] })).to.equal('ok')
    expect(resultOf({ records: [...junk.slice(0, limits.inviteCandidates - 1), record] })).to.equal('ok')
  })

  it('opens a relay’s copy with the link alone', () => {
    expect(openInviteCopy(crypto, keys, copyOf(record))).to.deep.equal(record)
    const others = inviteKeys(crypto, inviteOf(new Household('other')))
    expect(openInviteCopy(crypto, others, copyOf(record))).to.equal(undefined)
    const seen = Buffer.from(copyOf(record)).toString('latin1')
    for (const planted of ['Ada', 'ip4', Buffer.from(home.account).toString('latin1')])
      expect(seen).to.not.include(planted)
  })

  it('refuses every changed copy and record', () => {
    const copy = copyOf(record)
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const [a, b] = [record.slice(), copy.slice()]
        a[at]! ^= flip
        b[at]! ^= flip
        expect(resultOf({ records: [a] })).to.equal('invalid')
        expect(resultOf({ copies: [b] })).to.equal('not-found')
      }),
      { numRuns: 150 },
    )
  })

  it('is total on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readInviteRecord(bytes)).to.equal(undefined)
        expect(openInviteCopy(crypto, keys, bytes)).to.equal(undefined)
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('identity/invite record budget', () => {
  it('fits both homes at its longest', () => {
    expect(limits.inviteRecordBytes).to.be.at.most(recordPlaintextBytes)
    expect(copyOf(new Uint8Array(limits.inviteRecordBytes)).length).to.be.at.most(limits.recordBytes)
  })

  it('holds the whole log and bundle of an ordinary account', () => {
    const family = new Household('bob')
    const first = family.found('first')
    const second = family.add(first, 'second')
    for (let week = 0; week < 4; week++) {
      family.renew(first)
      family.renew(second)
    }
    const input = recordBy(family, first, inviteOf(family), {
      bundles: [family.bundle(first), family.bundle(second)],
    })
    const { record: read } = readInviteRecord(input)!
    expect(read.ops).to.have.length(family.log.entries.length)
    expect(read.bundles).to.have.length(2)
  })

  /** Sixteen devices, each added by an earlier one, all renewing every week. */
  function crowd(weeks: number) {
    const family = new Household('crowd')
    const devices = [family.found('0')]
    for (let i = 1; i < limits.activeDevices; i++)
      devices.push(family.add(devices[Math.floor((i - 1) / 4)]!, `${i}`))
    for (let week = 0; week < weeks; week++) for (const own of devices) family.renew(own)
    return { family, devices }
  }

  it('cuts a long log to what proves the signer, whichever of sixteen devices signs', () => {
    const { family, devices } = crowd(4)
    for (const own of [devices[0]!, devices[7]!, devices[15]!]) {
      const theirs = inviteOf(family)
      const input = recordBy(family, own, theirs, {
        bundles: devices.slice(0, 3).map((one) => family.bundle(one)),
      })
      expect(input.length).to.be.at.most(limits.inviteRecordBytes)
      const { record: read } = readInviteRecord(input)!
      expect(read.ops.length).to.be.lessThan(family.log.entries.length)
      const opened = openInvite(crypto, theirs, { copies: [], records: [input] }, nowMs)
      if (opened.result !== 'ok') throw new Error(opened.result)
      expect(opened.invite.inviter.device).to.deep.equal(own.device)
    }
  })

  it('prefers the revokes of a long log', () => {
    const fresh = new Household('long')
    const first = fresh.found('first')
    const lost = fresh.add(first, 'lost')
    fresh.revoke(first, lost)
    for (let week = 0; week < 60; week++) fresh.renew(first)
    const theirs = inviteOf(fresh)
    const opened = openInvite(
      crypto,
      theirs,
      { copies: [], records: [recordBy(fresh, first, theirs)] },
      nowMs,
    )
    if (opened.result !== 'ok') throw new Error(opened.result)
    expect(opened.invite.log.entries.length).to.be.lessThan(fresh.log.entries.length)
    expect([...opened.invite.state.revoked.keys()]).to.deep.equal([Buffer.from(lost.device).toString('hex')])
  })

  it('says so when even the proof has no room, and writes nothing', () => {
    const family = new Household('dan')
    const first = family.found('first')
    let last = first
    for (let i = 0; i < 60; i++) {
      const next = family.add(last, `${i}`)
      family.revoke(next, last)
      last = next
    }
    expect(() => recordBy(family, last, inviteOf(family)))
      .to.throw()
      .with.property('code', 'E_INVITE_TOO_LARGE')
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { nobleProvider, Secret } from '../../../packages/core/src/crypto/index.ts'
import type { AccountId } from '../../../packages/core/src/identity/ids.ts'
import {
  createInvite,
  decodeInvite,
  encodeInvite,
  inviteStatus,
  renewInvite,
  revokeInvite,
  useInvite,
  type InviteState,
  type InviteTerms,
} from '../../../packages/core/src/identity/invite-state.ts'
import { limits } from '../../../packages/core/src/index.ts'

const crypto = nobleProvider()
const nowMs = Date.UTC(2026, 2, 10)
const hourMs = 3_600_000
const accountOf = (n: number): AccountId => new Uint8Array(32).fill(n) as AccountId
const terms = (changes: Partial<InviteTerms> = {}): InviteTerms => ({
  account: accountOf(0),
  secret: new Secret(new Uint8Array(16).fill(3)),
  editSeed: new Secret(new Uint8Array(32).fill(4)),
  host: 'relay.example.org',
  addresses: [],
  nowMs,
  ...changes,
})
const invite = (changes: Partial<InviteTerms> = {}): InviteState => createInvite(crypto, terms(changes))
const use = (state: InviteState, n: number, atMs = nowMs): InviteState => {
  const verdict = useInvite(state, accountOf(n), atMs)
  if (verdict.verdict !== 'accepted') throw new Error(verdict.verdict)
  return verdict.value
}

describe('identity/invite state', () => {
  it('is open for one use and seven days unless said otherwise', () => {
    const state = invite()
    expect([state.uses, state.expiresAtMs - state.createdAtMs]).to.deep.equal([1, limits.inviteMs])
    expect(inviteStatus(state, nowMs)).to.equal('open')
  })

  it('takes terms at their limits and refuses one past them', () => {
    expect(inviteStatus(invite({ lifeMs: limits.inviteMaxMs, uses: limits.inviteUses }), nowMs)).to.equal(
      'open',
    )
    const bad: Partial<InviteTerms>[] = [
      { lifeMs: limits.inviteMaxMs + 1 },
      { lifeMs: 0 },
      { lifeMs: 1.5 },
      { uses: limits.inviteUses + 1 },
      { uses: 0 },
      { editSeed: new Secret(new Uint8Array(31)) },
      { secret: new Secret(new Uint8Array(17)) },
      { host: 'no host' },
    ]
    for (const changes of bad)
      expect(() => invite(changes))
        .to.throw()
        .with.property('fault', 'usage')
  })

  it('is used up by the last account allowed', () => {
    const once = use(invite({ uses: 2 }), 1)
    expect(inviteStatus(once, nowMs)).to.equal('open')
    const twice = use(once, 2)
    expect(inviteStatus(twice, nowMs)).to.equal('used')
    expect(useInvite(twice, accountOf(3), nowMs)).to.deep.equal({
      verdict: 'rejected',
      reason: 'E_INVITE_USED',
    })
  })

  it('accepts an account again without counting it, even when used up, expired or revoked', () => {
    const used = use(invite(), 1)
    for (const state of [used, revokeInvite(used)])
      expect(use(state, 1, nowMs + 300 * 24 * hourMs)).to.equal(state)
  })

  it('expires at its hour, not before', () => {
    const state = invite({ lifeMs: hourMs })
    expect(useInvite(state, accountOf(1), nowMs + hourMs - 1).verdict).to.equal('accepted')
    expect(inviteStatus(state, nowMs + hourMs)).to.equal('expired')
    expect(useInvite(state, accountOf(1), nowMs + hourMs)).to.deep.equal({
      verdict: 'rejected',
      reason: 'E_INVITE_EXPIRED',
    })
  })

  it('is revoked for good, once', () => {
    const state = revokeInvite(invite())
    expect(inviteStatus(state, nowMs)).to.equal('revoked')
    expect(inviteStatus(state, nowMs + limits.inviteMaxMs)).to.equal('revoked')
    expect(useInvite(state, accountOf(1), nowMs)).to.deep.equal({
      verdict: 'rejected',
      reason: 'E_INVITE_REVOKED',
    })
    expect(revokeInvite(state)).to.equal(state)
  })

  it('counts every change of its record', () => {
    const state = invite({ uses: 2 })
    expect(
      [state, use(state, 1), renewInvite(state), revokeInvite(state)].map(({ seq }) => seq),
    ).to.deep.equal([1, 2, 2, 2])
  })

  it('leaves the state it was given as it was', () => {
    const state = invite()
    const before = encodeInvite(state)
    use(state, 1)
    revokeInvite(state)
    expect(encodeInvite(state)).to.deep.equal(before)
  })

  it('comes back from the store', () => {
    for (const state of [
      invite(),
      invite({ host: null }),
      revokeInvite(use(invite({ uses: 3, addresses: ['/ip4/10.0.0.1'] }), 9)),
    ]) {
      const back = decodeInvite(encodeInvite(state))
      expect(back && encodeInvite(back)).to.deep.equal(encodeInvite(state))
      expect(back?.secret.expose()).to.deep.equal(state.secret.expose())
    }
    const full = {
      ...invite({ uses: limits.inviteUses }),
      usedBy: Array.from({ length: limits.inviteUses }, () => accountOf(1)),
    }
    expect(decodeInvite(encodeInvite(full))?.usedBy).to.have.length(limits.inviteUses)
  })

  it('reads only its own bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeInvite(bytes)).to.equal(undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  it('never counts more uses than allowed, in any order of events', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('use' as const), by: fc.nat(6), afterMs: fc.nat(2 * hourMs) }),
      fc.record({ kind: fc.constant('revoke' as const), by: fc.constant(0), afterMs: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(event, { maxLength: 15 }), (uses, events) => {
        let state = invite({ uses, lifeMs: hourMs })
        for (const { kind, by, afterMs } of events) {
          const before = state
          if (kind === 'revoke') state = revokeInvite(state)
          else {
            const verdict = useInvite(state, accountOf(by), nowMs + afterMs)
            if (verdict.verdict === 'accepted') state = verdict.value
          }
          expect(state.usedBy.length).to.be.at.most(uses)
          expect(new Set(state.usedBy.map(String)).size).to.equal(state.usedBy.length)
          expect(before.revoked && !state.revoked, 'revoked stays revoked').to.equal(false)
          if (before.revoked) expect(state.usedBy).to.deep.equal(before.usedBy)
        }
      }),
    )
  })
})

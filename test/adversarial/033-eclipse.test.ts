import { expect } from 'chai'
import { openRecord, openRecords } from '../../packages/core/src/discovery/index.ts'
import { inviteKeys } from '../../packages/core/src/identity/index.ts'
import { openInvite } from '../../packages/core/src/identity/invite-open.ts'
import { sealInviteCopy } from '../../packages/core/src/identity/invite-record.ts'
import { crypto, dayMs, keyPair, noonMs, record, valueOf } from '../core/discovery/support.ts'
import { bytesOf, Household, inviteOf, nowMs, recordBy } from '../core/identity/invite-world.ts'

describe('adversarial', () => {
  const place = { day: Math.floor(noonMs / dayMs), slot: 0 }
  const ada = keyPair('ada').publicKey

  it('033: twenty lying nodes never make a reader open a wrong value', () => {
    const lies = Array.from({ length: 20 }, (_, i) => {
      if (i % 4 === 0) return valueOf(keyPair(`sybil ${i}`), 2 ** 50, noonMs + dayMs).value
      if (i % 4 === 1) return record(`sybil ${i}`, { seq: 2 ** 40 }).value
      if (i % 4 === 2) return record('ada', { day: place.day - 1, seq: 2 ** 40 }).value
      return bytesOf(`noise ${i}`, 400)
    })
    expect(openRecord(crypto, ada, place, lies, noonMs)).to.deep.equal({ found: false, reason: 'none' })
    const genuine = record('ada').value
    expect(openRecords(crypto, ada, place, [...lies, genuine], noonMs)).to.have.length(1)
  })

  it('033: nodes that answer with yesterday’s state alone are found out', () => {
    const old = record('ada', { seq: 3 }).value
    expect(openRecord(crypto, ada, place, [old], noonMs, 4)).to.deep.equal({
      found: false,
      reason: 'rollback',
    })
  })

  it('033: an invite hidden in the DHT by a link holder is found at the relay', () => {
    const home = new Household('ada')
    const laptop = home.found('laptop')
    const invite = inviteOf(home)
    const mallory = new Household('mallory')
    const forged = recordBy(mallory, mallory.found('laptop'), { ...invite, seq: 2 ** 40 })
    const genuine = recordBy(home, laptop, invite)
    const found = {
      copies: [sealInviteCopy(crypto, inviteKeys(crypto, invite), genuine, bytesOf('n', 24))],
      records: [forged],
    }
    const hidden = openInvite(crypto, invite, { ...found, copies: [] }, nowMs)
    expect(hidden).to.deep.equal({ result: 'invalid', code: 'E_INVITE_UNREACHABLE', retryable: true })
    const opened = openInvite(crypto, invite, found, nowMs)
    expect(opened.result === 'ok' && opened.invite.inviter.device).to.deep.equal(laptop.device)
  })
})

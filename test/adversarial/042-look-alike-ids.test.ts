import { expect } from 'chai'
import {
  addressKey,
  deviceState,
  safetyNumber,
  sameDevice,
  type AccountId,
} from '../../packages/core/src/identity/index.ts'
import { toBase32 } from '../../packages/core/src/wire/index.ts'
import { crypto, makeAccount, makeDevice, seedOf } from '../core/identity/support.ts'

describe('adversarial', () => {
  it('042: accounts whose ids begin and end alike are told apart by every byte', () => {
    const { account } = makeAccount('the real one')
    const twin = Uint8Array.from(account.id) as AccountId
    twin[16] = twin[16]! ^ 1
    const shown = [account.id, twin].map(toBase32)
    expect(shown[0]!.slice(0, 8) + shown[0]!.slice(-8)).to.equal(shown[1]!.slice(0, 8) + shown[1]!.slice(-8))
    expect(shown[0]).not.to.equal(shown[1])
    const { device } = makeDevice(account, 'phone')
    expect(sameDevice({ account: account.id, device }, { account: twin, device })).to.be.false
    expect(addressKey({ account: account.id, device })).not.to.equal(addressKey({ account: twin, device }))
    const mine = seedOf('my account') as AccountId
    expect(safetyNumber(crypto, mine, account.id)).not.to.equal(safetyNumber(crypto, mine, twin))
    const seen = (id: AccountId) => ({ account: id, heads: [] })
    expect(deviceState(crypto, seen(mine), seen(account.id))).not.to.equal(
      deviceState(crypto, seen(mine), seen(twin)),
    )
  })
})

import { expect } from 'chai'
import { createValidator } from '../../packages/core/src/discovery/index.ts'
import { crypto, dayMs, keyPair, noonMs, valueOf } from '../core/discovery/support.ts'

describe('adversarial', () => {
  it('031: a stored record is not rolled back by putting an older one', () => {
    const node = createValidator(crypto, () => noonMs)
    // A store without sense: it keeps whatever was put last and passed the validator.
    const store = new Map<string, Uint8Array>()
    const put = (key: string, value: Uint8Array): void => {
      if (node.validate(key, value) === undefined) store.set(key, value)
    }
    const owner = keyPair('owner')
    const [first, second, third] = [1, 2, 3].map((seq) => valueOf(owner, seq, noonMs + dayMs)) as [
      ReturnType<typeof valueOf>,
      ReturnType<typeof valueOf>,
      ReturnType<typeof valueOf>,
    ]
    for (const { key, value } of [first, third, second, first]) put(key, value)
    expect(store.get(first.key)).to.deep.equal(third.value)
    expect(node.select(first.key, [first.value, third.value, second.value])).to.equal(1)
  })
})

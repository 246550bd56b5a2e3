import { expect } from 'chai'
import { bitrotHome, judgeReading } from './bitrot-home.ts'
import type { Reading } from './bitrot-reader.ts'

const truth: Reading = {
  failed: [],
  untyped: [],
  warnings: [],
  messages: ['one', 'two'].map((text) => ({
    ...{ messageId: text, text, state: 'delivered', author: 'ada' },
    ...{ edited: false, deleted: false, reactions: '' },
  })),
  missing: 0,
  rest: { self: '{}' },
}

describe('bit rot in the home of a real daemon', () => {
  it('gives the truth, a typed failure or a named gap for every flipped bit', async function () {
    this.timeout(180_000)
    const { wrong, harmless, refused, named, messages } = await bitrotHome(10, 11, 30)
    expect(wrong).to.deep.equal([])
    expect(messages).to.equal(30)
    expect(harmless + refused + named).to.equal(10)
  })

  it('would be found out: every silent difference is one', () => {
    const [one] = truth.messages
    expect(judgeReading(truth, truth)).to.deep.equal({ wrong: [], named: false })
    const silent: Partial<Reading>[] = [
      { messages: [one!] },
      { messages: [one!, { ...one!, messageId: 'two', text: 'owt' }] },
      { messages: [...truth.messages, { ...one!, messageId: 'three' }] },
      { messages: truth.messages.map((message) => ({ ...message, state: 'waiting' })) },
      { messages: truth.messages.map((message) => ({ ...message, author: 'eve' })) },
      { messages: truth.messages.map((message) => ({ ...message, reactions: '👍' })) },
      { rest: {} },
      { untyped: ['RangeError'] },
    ]
    for (const change of silent)
      expect(judgeReading({ ...truth, ...change }, truth).wrong, JSON.stringify(change)).not.to.deep.equal([])
  })

  it('tells what is named from what is not', () => {
    const [one] = truth.messages
    const told: Partial<Reading>[] = [
      { messages: [one!], missing: 1 },
      { messages: [], rest: {}, failed: ['E_STORE_CORRUPT'] },
      { messages: [one!], warnings: ['E_STORE_ROLLED_BACK'] },
      { messages: truth.messages.map((message) => ({ ...message, text: null })) },
    ]
    for (const change of told)
      expect(judgeReading({ ...truth, ...change }, truth)).to.deep.equal({ wrong: [], named: true })
    const edited = truth.messages.map((message) => ({ ...message, text: 'a edits 3', edited: true }))
    const before = truth.messages.map((message) => ({ ...message, text: 'a says 3' }))
    const was = { ...truth, messages: edited }
    expect(judgeReading({ ...truth, messages: before }, was).wrong).to.have.length(2)
    expect(judgeReading({ ...truth, messages: before, missing: 1 }, was).wrong).to.deep.equal([])
    const lie = { messages: [{ ...one!, text: 'eno' }], failed: ['E_STORE_CORRUPT'] }
    expect(judgeReading({ ...truth, ...lie }, truth).wrong).to.have.length(1)
  })
})

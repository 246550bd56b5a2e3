import { expect } from 'chai'
import type { MessageView } from '@sotto/core'
import { compareHistories } from './compare.ts'
import type { Writer } from './compare.ts'

const message = (text: string, messageId = `id of ${text}`): MessageView => ({
  messageId,
  conversationId: 'c',
  author: { accountId: text.slice(0, 3), deviceId: 'd', name: 'n', me: false },
  text,
  sentAtMs: 0,
  receivedAtMs: 0,
  state: null,
  replyTo: null,
  edited: false,
  deleted: false,
  outside: null,
  textMissing: null,
  late: false,
  reactions: [],
  attachments: [],
})

const ack = (text: string) => ({ messageId: `id of ${text}`, text })
const whole = ['ada 1', 'bob 1', 'ada 3', 'bob 2'].map((text) => message(text))

async function judge(hers: readonly MessageView[], his: readonly MessageView[]) {
  const writer = (name: string, numbers: readonly number[], history: readonly MessageView[]): Writer => ({
    name,
    acknowledged: numbers.map((n) => ack(`${name} ${n}`)),
    failed: [`${name} 3`, `${name} 4`],
    conversationId: 'c',
    node: { history: async () => history },
  })
  const wrong: string[] = []
  const failedButSent = await compareHistories([writer('ada', [1], hers), writer('bob', [1, 2], his)], wrong)
  return { wrong, failedButSent }
}

describe('what a crash campaign holds against its histories', () => {
  it('is nothing when all is there, once; a failed command may have been sent', async () => {
    expect(await judge(whole, whole)).to.deep.equal({ wrong: [], failedButSent: 1 })
  })

  it('is every loss, change, double, turn and stranger', async () => {
    const [first, second, third, fourth] = whole as [MessageView, MessageView, MessageView, MessageView]
    for (const [history, word] of [
      [[first, third, fourth], 'lost of bob at bob'],
      [[...whole, message('ada 3', 'again')], 'doubled'],
      [[...whole, fourth], 'an id twice'],
      [[fourth, first, second, third], 'out of order'],
      [[...whole, message('bob 9')], 'never written'],
      [[...whole, message('eve 1')], 'from nowhere'],
      [[{ ...first, text: 'ada 4' }, second, third, fourth], 'changed'],
      [[second, first, third, fourth], 'differ'],
    ] as const) {
      const { wrong } = await judge(whole, history)
      expect(wrong.join('; '), word).to.include(word)
    }
  })
})

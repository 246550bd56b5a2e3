import { expect } from 'chai'
import { crash } from './crash.ts'
import { judgeSeals, readSealLines, sealLine } from './recorder/seal-line.ts'

const line = (key: string, nonce: string, text: string) => {
  const wide = (word: string): string => word.padEnd(32, '.')
  return { pair: wide(`${key}${nonce}`), key: wide(key), nonce: wide(nonce), text: wide(text) }
}

describe('two daemons and a relay, killed under load', () => {
  it('keep every acknowledged message, once, and reuse no key', async function () {
    this.timeout(180_000)
    const report = await crash({ kills: 5, seed: 9, perSecond: 10 })
    expect(report.wrong).to.deep.equal([])
    expect(Object.values(report.kills).reduce((a, b) => a + b)).to.equal(5)
    expect(report.acknowledged).to.be.greaterThan(20)
    expect(report.seals.messageKeys).to.be.greaterThan(10)
  })

  it('would be found out: the recorder’s lines tell every kind of reuse', () => {
    const header = line('header', 'n1', 'h')
    const first = [header, line('message', 'n1', 'one')]
    const fresh = [line('header', 'n2', 'h2'), line('message 2', 'n2', 'two')]
    expect(judgeSeals([first, fresh])).to.deep.equal({
      processes: 2,
      seals: 4,
      messageKeys: 2,
      pairsTwice: 0,
      keysTwiceInOneProcess: 0,
      keysBegunAgain: 0,
    })
    expect(judgeSeals([first, first]).pairsTwice).to.equal(2)
    const again = [line('header', 'n3', 'h3'), line('message', 'n3', 'other')]
    expect(judgeSeals([first, again])).to.include({ keysBegunAgain: 1, keysTwiceInOneProcess: 0 })
    expect(judgeSeals([[...first, ...again]])).to.include({ keysBegunAgain: 0, keysTwiceInOneProcess: 1 })
  })

  it('would be found out even by a line cut short', () => {
    const whole = sealLine(line('k', 'n', 't'))
    expect(readSealLines(`${whole}${whole.slice(0, -3)}`)).to.have.length(1)
  })
})

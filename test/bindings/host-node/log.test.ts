import { expect } from 'chai'
import { createLog } from '@sotto/core/host-node'

describe('the log of a Node process', () => {
  const lines: Record<string, unknown>[] = []
  const log = createLog({
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  })
  beforeEach(() => lines.splice(0))

  it('writes time, name and counters and nothing of the machine', () => {
    log.event('channel-slow', { count: 3, held: true })
    const { time, level, ...rest } = lines[0]!
    expect(time).to.match(/^\d{4}-\d\d-\d\dT/)
    expect(level).to.equal('info')
    expect(rest).to.deep.equal({ event: 'channel-slow', count: 3, held: true })
  })

  it('leaves out what could say who or what', () => {
    const planted = '12D3KooWAq2MqM2m35ttr5eWSdRZCgJ97hs4ezKYtadCvMzRcjJF'
    log.event(planted, { ok: 1 })
    log.event('peer-lost', {
      peer: planted,
      nested: { a: 1 },
      n: Number.NaN,
      [planted]: 1,
      event: 2,
    } as never)
    log.event('two words')
    expect(JSON.stringify(lines)).to.not.include(planted.slice(0, 12))
    expect(lines.map(({ time: _time, level: _level, ...rest }) => rest)).to.deep.equal([
      { event: 'unnamed', ok: 1 },
      { event: 'peer-lost' },
      { event: 'unnamed' },
    ])
  })

  it('names error codes', () => {
    log.event('send-failed-E_NET_TIMEOUT')
    expect(lines[0]).to.include({ event: 'send-failed-E_NET_TIMEOUT' })
  })
})

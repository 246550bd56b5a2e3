import { expect } from 'chai'
import { createServer, type AddressInfo } from 'node:net'
import { Secret } from '../../packages/core/src/crypto/index.ts'
import { formatInvite, type AccountId } from '../../packages/core/src/identity/index.ts'
import { readConfig, settings, type SettingName } from '../../relay/src/config.ts'
import { chooseAddresses, freePort, linkHostOf, readHostPort } from '../../relay/src/listen.ts'
import { readDuration, readSize } from '../../relay/src/units.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (thrown) {
    const { code, exit, message, hint } = thrown as {
      code: string
      exit: number
      message: string
      hint: string
    }
    return `${code} ${exit} ${message} ${hint}`.trim()
  }
  return 'no failure'
}

describe('relay settings', () => {
  it('need no file', () => {
    const config = readConfig(undefined, {})
    expect(config['circuit.reservations']).to.equal(4_096)
    expect(config['circuit.data']).to.equal(64 * 1024 ** 2)
    expect(config['circuit.duration']).to.equal(3_600_000)
    expect(config['mailbox.ttl']).to.equal(14 * 86_400_000)
    expect(Object.keys(settings).length).to.be.at.most(25)
  })

  it('take the file before the defaults and the environment before the file', () => {
    const toml =
      '[mailbox]\nttl = "2d"\nqueue_items = 7\n[listen]\nannounce = ["/dns4/a.example/tcp/443/wss"]\n'
    const config = readConfig(toml, { SOTTO_RELAY__MAILBOX__QUEUE_ITEMS: '9', OTHER: 'x' })
    expect(config['mailbox.ttl']).to.equal(2 * 86_400_000)
    expect(config['mailbox.queue_items']).to.equal(9)
    expect(config['listen.announce']).to.deep.equal(['/dns4/a.example/tcp/443/wss'])
  })

  it('refuse what is unknown, and say what was probably meant', () => {
    expect(codeOf(() => readConfig('[mailbox]\ntll = "1d"\n', {}))).to.equal(
      'E_CONFIG 2 unknown setting mailbox.tll did you mean mailbox.ttl?',
    )
    expect(codeOf(() => readConfig('ttl = "1d"\n', {}))).to.contain('unknown setting ttl')
    expect(codeOf(() => readConfig('[__proto__]\nx = 1\n', {}))).to.contain('E_CONFIG 2')
    expect(codeOf(() => readConfig('[mailbox\n', {}))).to.contain('E_CONFIG 2 the configuration is no TOML')
  })

  const wrong: readonly (readonly [SettingName, unknown])[] = [
    ['mailbox.ttl', '15d'],
    ['mailbox.ttl', '59m'],
    ['mailbox.ttl', 14],
    ['mailbox.queue_items', 0],
    ['mailbox.queue_items', 1.5],
    ['mailbox.queue_items', '-1'],
    ['mailbox.work_bits', 19],
    ['circuit.data', '64MB'],
    ['http.metrics', 'yes'],
    ['listen.addresses', [1]],
  ]
  for (const [name, value] of wrong)
    it(`refuse ${name} = ${JSON.stringify(value)}`, () => {
      expect(settings[name].read(value)).to.equal(undefined)
    })

  it('take for http.host what an invite link takes, and nothing else', () => {
    const account = new Uint8Array(32) as AccountId
    const secret = new Secret(new Uint8Array(16))
    const linkTakes = (host: string): boolean => {
      try {
        return formatInvite({ account, secret, host, addresses: [] }).includes(`//${host}/i#`)
      } catch {
        return false
      }
    }
    const good = ['relay.example', 'a', 'relay.example:8443', '127.0.0.1:9640', '[::1]', '[2001:db8::1]:443']
    const bad = [
      'Relay.example',
      'https://a',
      'a/',
      'a:0',
      'a:65536',
      'a:',
      '-a',
      'a-',
      'a..b',
      'é',
      'a b',
      '[x]',
    ]
    for (const host of [...good, ...bad]) {
      const taken = settings['http.host'].read(host) !== undefined
      expect([taken, linkTakes(host)], host).to.deep.equal([good.includes(host), good.includes(host)])
    }
    const longest = `${'a.'.repeat(126)}a`
    expect(settings['http.host'].read(longest)).to.equal(longest)
    expect(settings['http.host'].read(`b${longest}`)).to.equal(undefined)
    expect(settings['http.host'].read('')).to.equal('')
  })

  it('read units exactly', () => {
    expect(['500ms', '30s', '5m', '1h', '14d'].map(readDuration)).to.deep.equal([
      500, 30_000, 300_000, 3_600_000, 1_209_600_000,
    ])
    expect(['1B', '64KiB', '4MiB', '1GiB'].map(readSize)).to.deep.equal([1, 65_536, 4_194_304, 1_073_741_824])
    for (const bad of ['', '5', 'd', '1 d', '-1d', '1w', '1.5h', '1toString'])
      expect([readDuration(bad), readSize(bad)], bad).to.deep.equal([undefined, undefined])
  })
})

describe('relay addresses', () => {
  it('give way to the next free port by default, and only by default', async () => {
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
    const { port } = squatter.address() as AddressInfo
    try {
      expect(await freePort('127.0.0.1', port, new Set())).to.be.greaterThan(port)
      const asked = await chooseAddresses([`/ip4/127.0.0.1/tcp/${port}`]).catch((thrown: unknown) => thrown)
      expect(asked).to.include({ code: 'E_LISTEN', exit: 3 })
    } finally {
      squatter.close()
    }
  })

  it('are TCP or WebSocket and nothing else', async () => {
    for (const address of ['/ip4/0.0.0.0/udp/4001/webrtc-direct', '/ip4/1.2.3.4/tcp/x', 'localhost:1', '']) {
      const failure = await chooseAddresses([address]).catch((thrown: unknown) => thrown)
      expect(failure, address).to.include({ code: 'E_LISTEN', exit: 2 })
    }
    const { addresses, moved } = await chooseAddresses(['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0/ws'])
    expect([addresses, moved]).to.deep.equal([['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0/ws'], []])
  })

  it('name a host for links by themselves on loopback only', () => {
    expect(linkHostOf('relay.example', 'http://127.0.0.1:9640')).to.equal('relay.example')
    expect(linkHostOf('', 'http://127.0.0.1:9640')).to.equal('127.0.0.1:9640')
    expect(linkHostOf('', 'http://[::1]:9640')).to.equal('[::1]:9640')
    for (const url of [
      'http://0.0.0.0:9640',
      'http://192.168.1.2:9640',
      'http://[::]:80',
      'http://127.example',
    ])
      expect(linkHostOf('', url), url).to.equal(null)
  })

  it('of the HTTP server are a host and a port', () => {
    expect(readHostPort('127.0.0.1:9640')).to.deep.equal({ host: '127.0.0.1', port: 9640 })
    expect(readHostPort('[::1]:80')).to.deep.equal({ host: '::1', port: 80 })
    for (const bad of ['', '9640', 'host', 'a:b', '1.2.3.4:65536', '::1:80'])
      expect(
        codeOf(() => readHostPort(bad)),
        bad,
      ).to.contain('E_LISTEN 2')
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { nobleProvider, Secret } from '../../../packages/core/src/crypto/index.ts'
import type { AccountId } from '../../../packages/core/src/identity/ids.ts'
import {
  formatInvite,
  inviteEditKey,
  inviteKeys,
  parseInvite,
  type InviteLink,
} from '../../../packages/core/src/identity/invite.ts'
import { limits } from '../../../packages/core/src/index.ts'
import { toBase64Url, toHex } from '../../../packages/core/src/wire/index.ts'

const crypto = nobleProvider()
const account = Uint8Array.from({ length: 32 }, (_, i) => i) as AccountId
const secret = (fill = 7): Secret => new Secret(new Uint8Array(16).fill(fill))
const peer = '12D3KooWJAHvQzSoHJ6KwgoHxwwwnuYDvBnFcZQZrfLHNA6Xs1HG'
const addresses = [`/ip4/192.168.1.20/tcp/4001/p2p/${peer}`, `/ip4/203.0.113.9/tcp/443/wss/p2p/${peer}`]

const link = (changes: Partial<InviteLink> = {}): InviteLink => ({
  account,
  secret: secret(),
  host: 'relay.example.org',
  addresses: [],
  ...changes,
})
const plain = ({ secret: hidden, ...rest }: InviteLink) => ({ ...rest, secret: toHex(hidden.expose()) })
const reasonOf = (text: string): string => {
  const parsed = parseInvite(text)
  return parsed.ok ? 'ok' : parsed.reason
}

describe('identity/invite link', () => {
  const hosts = [
    ['relay.example.org', 'https://relay.example.org/i#'],
    ['relay.example.org:8443', 'https://relay.example.org:8443/i#'],
    ['203.0.113.9', 'https://203.0.113.9/i#'],
    ['[2001:db8::1]:443', 'https://[2001:db8::1]:443/i#'],
    ['localhost:9640', 'http://localhost:9640/i#'],
    ['127.0.0.1', 'http://127.0.0.1/i#'],
    ['127.255.255.254:1', 'http://127.255.255.254:1/i#'],
    ['[::1]:9640', 'http://[::1]:9640/i#'],
    [null, 'sotto:i#'],
  ] as const

  for (const [host, start] of hosts)
    it(`writes and reads ${start}`, () => {
      for (const hints of [[], addresses.slice(0, 1), addresses]) {
        const text = formatInvite(link({ host, addresses: hints }))
        expect(text.slice(0, start.length)).to.equal(start)
        const parsed = parseInvite(text)
        expect(parsed.ok && plain(parsed.link)).to.deep.equal(plain(link({ host, addresses: hints })))
      }
    })

  it('reads what people do to links: white space around, capitals in front', () => {
    const text = formatInvite(link())
    for (const done of [
      ` ${text}\n`,
      text.replace('https://relay.example.org', 'HTTPS://Relay.Example.ORG'),
    ]) {
      const parsed = parseInvite(done)
      expect(parsed.ok && plain(parsed.link)).to.deep.equal(plain(link()))
    }
  })

  it('stays within 100 characters for a host of 24', () => {
    const host = 'a-relay.chat.example.org'
    expect(host).to.have.length(24)
    expect(formatInvite(link({ host })).length).to.be.at.most(100)
    expect(formatInvite(link({ host: null }))).to.have.length(72)
  })

  it('does not print its secret', () => {
    expect(JSON.stringify(link())).to.not.include('BwcH')
    expect(String(link().secret)).to.equal('[secret]')
  })

  const fragment = formatInvite(link()).split('#')[1]!
  const at = (host: string, scheme = 'https') => `${scheme}://${host}/i#${fragment}`
  const malformed: readonly (readonly [string, string, string])[] = [
    ['empty', '', 'scheme'],
    ['no fragment', 'https://relay.example.org/i', 'scheme'],
    ['another scheme', `ftp://relay.example.org/i#${fragment}`, 'scheme'],
    ['a script', `javascript:alert(1)//i#${fragment}`, 'scheme'],
    ['another path', `https://relay.example.org/invite#${fragment}`, 'scheme'],
    ['a query', `https://relay.example.org/i?x=1#${fragment}`, 'scheme'],
    ['slashes after sotto', `sotto://i#${fragment}`, 'scheme'],
    ['another verb', `sotto:link#${fragment}`, 'scheme'],
    ['no scheme', `relay.example.org/i#${fragment}`, 'scheme'],
    ['no host', `https:///i#${fragment}`, 'scheme'],
    ['a user in front of the host', at('relay.example.org@evil.example'), 'host'],
    ['a space in the host', at('relay example.org'), 'host'],
    ['a host beyond ASCII', at('rélay.example.org'), 'host'],
    ['a label of 64', at(`${'a'.repeat(64)}.org`), 'host'],
    ['a host of 254', at(`${'a.'.repeat(126)}aa`), 'host'],
    ['a port of 0', at('relay.example.org:0'), 'host'],
    ['a port too high', at('relay.example.org:65536'), 'host'],
    ['a label that begins with a hyphen', at('-relay.example.org'), 'host'],
    ['two dots', at('relay..example.org'), 'host'],
    ['http to a stranger', at('relay.example.org', 'http'), 'host'],
    ['http to a name that begins like loopback', at('127.0.0.1.example.org', 'http'), 'host'],
    ['http to a number that is none', at('127.0.0.256', 'http'), 'host'],
    ['a character outside base64url', `sotto:i#${fragment.slice(0, -1)}+`, 'base64'],
    ['padding', `sotto:i#${fragment}=`, 'base64'],
    ['empty fragment', 'sotto:i#', 'length'],
    ['47 bytes', `sotto:i#${toBase64Url(new Uint8Array(47))}`, 'length'],
    ['49 bytes', `sotto:i#${toBase64Url(new Uint8Array(49))}`, 'length'],
    ['loose bits at the end', `sotto:i#${toBase64Url(new Uint8Array(47)).slice(0, -1)}B`, 'base64'],
    ['a truncated link', formatInvite(link()).slice(0, -4), 'length'],
    ['two hints', `sotto:i#${fragment}.gA.gA`, 'base64'],
    ['an empty hint', `sotto:i#${fragment}.`, 'addresses'],
    ['no address', `sotto:i#${fragment}.${toBase64Url(Uint8Array.of(0x80))}`, 'addresses'],
    ['a hint that is no frame', `sotto:i#${fragment}.${toBase64Url(Uint8Array.of(1, 2, 3))}`, 'addresses'],
    ['a hint outside base64url', `sotto:i#${fragment}.!!!`, 'addresses'],
    [
      'an address that is none',
      `sotto:i#${fragment}.${toBase64Url(Uint8Array.of(0x81, 0x61, 0x61))}`,
      'addresses',
    ],
    ['too long', `${at('relay.example.org')}${'A'.repeat(limits.inviteLinkChars)}`, 'too-long'],
  ]
  for (const [what, text, reason] of malformed)
    it(`refuses ${what}`, () => {
      expect(parseInvite(text)).to.deep.equal({ ok: false, code: 'E_INVITE_MALFORMED', reason })
    })

  it('reads no second spelling of a link', () => {
    const text = formatInvite(link({ host: null, addresses }))
    for (let i = text.indexOf('#') + 1; i < text.length; i++)
      for (const other of ['A', 'Q', 'g', 'w', '_']) {
        if (text[i] === other) continue
        const parsed = parseInvite(text.slice(0, i) + other + text.slice(i + 1))
        expect(parsed.ok && formatInvite(parsed.link)).to.not.equal(text)
      }
  })

  it('is total on any text, and what it reads it would write', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .tuple(fc.constantFrom('https://', 'http://', 'sotto:i#', 'https://a/i#'), fc.base64String())
        .map((p) => p.join('')),
      fc
        .tuple(
          fc.constantFrom(...hosts.map(([host]) => formatInvite(link({ host, addresses })))),
          fc.nat(400),
          fc.string({ maxLength: 3 }),
        )
        .map(([text, cut, put]) => text.slice(0, cut) + put + text.slice(cut + put.length)),
    )
    let read = 0
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseInvite(text)
        if (!parsed.ok) return
        read++
        expect(plain((parseInvite(formatInvite(parsed.link)) as { link: InviteLink }).link)).to.deep.equal(
          plain(parsed.link),
        )
      }),
      { numRuns: 20_000 },
    )
    expect(read, 'some mutants are links').to.be.greaterThan(10)
  })

  it('refuses to write what nobody would read', () => {
    const bad: Partial<InviteLink>[] = [
      { account: new Uint8Array(31) as AccountId },
      { secret: new Secret(new Uint8Array(15)) },
      { host: 'Relay.example.org' },
      { host: '' },
      { host: 'relay.example.org/i' },
      { addresses: [...addresses, addresses[0]!] },
      { addresses: ['ip4/1.2.3.4'] },
      { addresses: [`/${'a'.repeat(limits.addressBytes)}`] },
      { addresses: ['/dns4/ü.example/tcp/1'] },
    ]
    for (const changes of bad)
      expect(() => formatInvite(link(changes)))
        .to.throw()
        .with.property('fault', 'usage')
  })

  it('fits its longest form in the limit', () => {
    const host = `${`${'a'.repeat(60)}.`.repeat(4)}${'a'.repeat(9)}:65535`
    const long = `/${'a'.repeat(limits.addressBytes - 1)}`
    const text = formatInvite(link({ host, addresses: [long, long] }))
    expect(text.length).to.be.at.most(limits.inviteLinkChars)
    expect(reasonOf(text)).to.equal('ok')
  })
})

describe('identity/invite keys', () => {
  it('gives maker and holder the same keys, each its own purpose', () => {
    const text = formatInvite(link())
    const parsed = parseInvite(text)
    if (!parsed.ok) throw new Error(parsed.reason)
    const [mine, theirs] = [inviteKeys(crypto, link()), inviteKeys(crypto, parsed.link)]
    const all = (keys: typeof mine) =>
      [
        keys.inviteId,
        keys.discovery.publicKey,
        keys.discovery.secret.expose(),
        keys.locator,
        keys.copyKey.expose(),
        keys.psk.expose(),
      ].map(toHex)
    expect(all(mine)).to.deep.equal(all(theirs))
    expect(new Set(all(mine)).size).to.equal(6)
  })

  it('depends on the account and on every bit of the secret', () => {
    const ids = [link(), link({ account: new Uint8Array(32) as AccountId }), link({ secret: secret(6) })].map(
      (one) => toHex(inviteKeys(crypto, one).psk.expose()),
    )
    expect(new Set(ids).size).to.equal(3)
  })

  it('keeps the right to edit away from who holds the link', () => {
    const edit = inviteEditKey(crypto, new Secret(new Uint8Array(32).fill(1)))
    const guess = inviteEditKey(
      crypto,
      new Secret(Uint8Array.from([...secret().expose(), ...secret().expose()])),
    )
    expect(toHex(edit.publicKey)).to.not.equal(toHex(guess.publicKey))
    expect(toHex(edit.publicKey)).to.not.equal(toHex(inviteKeys(crypto, link()).discovery.publicKey))
  })
})

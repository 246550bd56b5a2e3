import { expect } from 'chai'
import fc from 'fast-check'
import type { AmbiguousError } from '../../packages/node/src/face/failure.ts'
import { relayHints, wellKnownUrl, withLinkHints } from '../../packages/node/src/face/link-hints.ts'
import { resolveContact, resolveId } from '../../packages/node/src/face/who.ts'
import { exitCodeOf } from '../../packages/node/src/cli/exit-code.ts'
import { durationText, parseDurationMs, parseMomentMs } from '../../packages/node/src/cli/duration.ts'
import { qrText } from '../../packages/node/src/cli/qr.ts'
import { table } from '../../packages/node/src/cli/table.ts'
import { lineReader } from '../../packages/node/src/local-api/lines.ts'
import { nestsDeeper } from '../../packages/node/src/local-api/json-bounds.ts'
import { follow } from '../../packages/node/src/face/follow.ts'
import { homePaths, socketPath } from '../../packages/node/src/home/paths.ts'
import { FakeFace, fakeContact } from '../support/fake-face.ts'
import { fakeId } from '../support/fake-id.ts'

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('node: parts', () => {
  it('reads lengths of time and moments', () => {
    expect(['500ms', '30s', '15m', '2h', '7d', '1w', '1.5h'].map(parseDurationMs)).to.deep.equal([
      500, 30_000, 900_000, 7_200_000, 604_800_000, 604_800_000, 5_400_000,
    ])
    expect([500, 90_000, 3_600_000, 604_800_000].map(durationText)).to.deep.equal([
      '500ms',
      '90s',
      '1h',
      '7d',
    ])
    for (const bad of ['', '7', 'd', '-1d', '7 d', '1e3s', '7D', '1y']) {
      expect(
        codeOf(() => parseDurationMs(bad)),
        bad,
      ).to.equal('E_USAGE')
    }
    expect(parseMomentMs('2h', 10_000_000)).to.equal(2_800_000)
    expect(parseMomentMs('2026-01-31T12:00:00Z', 0)).to.equal(Date.UTC(2026, 0, 31, 12))
    expect(parseMomentMs('2026-01-31', 0)).to.equal(Date.UTC(2026, 0, 31))
    for (const bad of ['2026-01-31T12:00', 'yesterday', '2026-13-01', '1']) {
      expect(
        codeOf(() => parseMomentMs(bad, 0)),
        bad,
      ).to.equal('E_USAGE')
    }
  })

  it('finds whom WHO means', () => {
    const ann = fakeContact(30, 'Ann')
    const other = fakeContact(31, 'ann')
    const eve = {
      ...fakeContact(32, 'Eve'),
      accountId: `${ann.accountId.slice(0, 10)}${fakeId(33).slice(10)}`,
    }
    const accented = fakeContact(34, 'Zoe\u0301')
    const all = [ann, other, eve, accented]
    const who = (text: string) => resolveContact(all, text)
    expect(who('Ann')).to.equal(ann)
    expect(who('ann')).to.equal(other)
    expect(who('EVE')).to.equal(eve)
    expect(who('Zo\u00e9')).to.equal(accented)
    expect(who(eve.accountId)).to.equal(eve)
    expect(who(eve.conversationId.slice(0, 8))).to.equal(eve)
    expect(codeOf(() => who('ANN'))).to.equal('E_AMBIGUOUS')
    expect(codeOf(() => who(ann.accountId.slice(0, 8)))).to.equal('E_AMBIGUOUS')
    expect(codeOf(() => who(ann.accountId.slice(0, 7)))).to.equal('E_NOT_FOUND')
    expect(codeOf(() => who(''))).to.equal('E_NOT_FOUND')
    try {
      who('ANN')
    } catch (error) {
      expect((error as AmbiguousError).candidates.map(({ id }) => id)).to.have.members([
        ann.accountId,
        other.accountId,
      ])
    }
  })

  it('takes a name that looks like an id’s beginning together with that id', () => {
    const ann = fakeContact(30, 'Ann')
    const trickster = fakeContact(31, ann.accountId.slice(0, 8))
    expect(codeOf(() => resolveContact([ann, trickster], ann.accountId.slice(0, 8)))).to.equal('E_AMBIGUOUS')
  })

  it('finds ids by their beginning', () => {
    const ids = [1, 2].map((seed) => ({ id: fakeId(seed), name: '' }))
    expect(resolveId(ids, fakeId(1).slice(0, 8), 'thing')).to.equal(fakeId(1))
    expect(codeOf(() => resolveId(ids, fakeId(1).slice(0, 7), 'thing'))).to.equal('E_NOT_FOUND')
    expect(codeOf(() => resolveId(ids, '', 'thing'))).to.equal('E_NOT_FOUND')
  })

  it('gives each kind of failure its exit code', () => {
    const expected: Record<string, number> = {
      E_ALREADY_INITIALISED: 1,
      E_INVITE_EXPIRED: 1,
      E_INVITE_OWN: 1,
      E_NOT_MEMBER: 1,
      E_LAST_OWNER: 1,
      E_LINK_EXPIRED: 1,
      E_LINK_MALFORMED: 2,
      E_LINK_LOST: 3,
      E_LINK_MISMATCH: 4,
      E_STORE_OLDER: 9,
      E_USAGE: 2,
      E_AMBIGUOUS: 2,
      E_NOT_BUILT: 2,
      E_INVITE_MALFORMED: 2,
      E_NET_UNREACHABLE: 3,
      E_RELAY_FULL: 3,
      E_OUTBOX_FULL: 5,
      E_NOT_FOUND: 6,
      E_HOME_LOCKED: 7,
      E_NOT_RUNNING: 7,
      E_TIMEOUT: 8,
      E_STORE_CORRUPT: 9,
      E_STORE_NEWER: 9,
      E_HOME_DAMAGED: 9,
      E_KEY_PERMISSIONS: 9,
    }
    for (const [code, exit] of Object.entries(expected))
      expect(exitCodeOf(code, 'usage'), code).to.equal(exit)
    expect(exitCodeOf('E_ANYTHING', 'invariant')).to.equal(1)
  })

  it('cuts a stream into lines wherever the chunks end, and stops at one too long', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 12 })),
        fc.array(fc.nat(7)),
        (texts, cuts) => {
          const lines = texts.map((text) => text.replace(/\n/g, ' ')).filter((text) => text.trim() !== '')
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
          const got: string[] = []
          const read = lineReader(
            1_000,
            (line) => got.push(line),
            () => expect.fail(),
          )
          let at = 0
          for (const cut of [...cuts, bytes.length]) {
            read(bytes.subarray(at, at + cut))
            at += cut
          }
          expect(got).to.deep.equal(lines)
        },
      ),
    )
    const got: string[] = []
    let tooLong = 0
    const read = lineReader(
      4,
      (line) => got.push(line),
      () => (tooLong += 1),
    )
    read(Buffer.from('1234\n12345\n1\n'))
    read(Buffer.from('1\n'))
    expect([got, tooLong]).to.deep.equal([['1234'], 1])
  })

  it('counts nesting outside strings', () => {
    expect(nestsDeeper('[[1],{"a":"[[[["}]', 2)).to.equal(false)
    expect(nestsDeeper('[[1],{"a":["]"]}]', 2)).to.equal(true)
    expect(nestsDeeper('"\\"[[["', 0)).to.equal(false)
    expect(nestsDeeper('['.repeat(100_000), 16)).to.equal(true)
  })

  it('passes stored events and new ones on once each, in order', async () => {
    const face = new FakeFace('Ada')
    for (let at = 0; at < 2_500; at += 1) face.emit({ type: 'connection', connection: 'local' })
    const got: number[] = []
    const following = follow(face, 10, ({ seq }) => got.push(seq))
    face.emit({ type: 'connection', connection: 'direct' })
    const stop = await following
    face.emit({ type: 'connection', connection: 'relay' })
    stop()
    face.emit({ type: 'connection', connection: 'relay' })
    expect(got).to.deep.equal(Array.from({ length: 2_492 }, (_, at) => at + 11))
    expect(face.listeners).to.equal(0)
  })

  it('lines up a table and draws a code that fits a terminal', () => {
    expect(
      table([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
    ).to.equal('a    bb  c\naaa  b')
    const lines = qrText(`https://sotto.example/i#${'k'.repeat(64)}`).split('\n')
    expect(lines.length).to.be.at.most(24)
    expect(Math.max(...lines.map((line) => line.length))).to.be.at.most(80)
  })

  it('names the home and a socket whose path fits', () => {
    expect(homePaths('/x', { SOTTO_HOME: '/y' }).home).to.equal('/x')
    expect(homePaths(undefined, { SOTTO_HOME: '/y' }).store).to.equal('/y/store')
    const short = socketPath('/home', { XDG_RUNTIME_DIR: '/run/user/1' })
    expect(short).to.match(/^\/run\/user\/1\/sotto\/[0-9a-f]{16}\.sock$/)
    expect(socketPath('/home', { XDG_RUNTIME_DIR: `/run/${'x'.repeat(100)}` }).length).to.be.at.most(103)
    expect(socketPath('/other', { XDG_RUNTIME_DIR: '/run/user/1' })).not.to.equal(short)
  })

  describe('links', () => {
    const answer = (body: string, status = 200) =>
      (async () => new Response(body, { status })) as typeof fetch
    const addresses = ['/dns4/relay.example/tcp/443/wss/p2p/x']

    it('ask their own host, over https or on this machine', () => {
      expect(wellKnownUrl('https://relay.example/i#secret')?.href).to.equal(
        'https://relay.example/.well-known/sotto',
      )
      expect(wellKnownUrl('http://127.0.0.1:8080/i#secret')?.href).to.equal(
        'http://127.0.0.1:8080/.well-known/sotto',
      )
      for (const link of [
        'http://relay.example/i#s',
        'sotto:i#s',
        'https://a:b@relay.example/i#s',
        'file:///i#s',
        'x',
        '',
      ]) {
        expect(wellKnownUrl(link), link).to.equal(undefined)
      }
    })

    it('bring the relay’s addresses, or none when the answer is not right', async () => {
      const link = 'https://relay.example/i#secret'
      expect(await relayHints(link, answer(JSON.stringify({ v: 1, addresses })))).to.deep.equal(addresses)
      const bad = ['', '[]', '{"addresses":"x"}', `{"addresses":["${'x'.repeat(20_000)}"]}`]
      for (const body of bad) expect(await relayHints(link, answer(body))).to.deep.equal([])
      expect(await relayHints(link, answer(JSON.stringify({ addresses }), 500))).to.deep.equal([])
      expect(await relayHints(link, () => Promise.reject(new Error('down')))).to.deep.equal([])
    })

    it('never send what stands behind the mark', async () => {
      let asked = ''
      const load = (async (url: URL) => {
        asked = url.href
        return new Response(JSON.stringify({ addresses }))
      }) as unknown as typeof fetch
      const face = new FakeFace('Ada')
      await withLinkHints(face, load).dispatch('add', { link: 'https://relay.example/i#secret' })
      expect(asked).to.equal('https://relay.example/.well-known/sotto')
      expect(face.dispatched[0]?.input).to.deep.equal({
        link: 'https://relay.example/i#secret',
        relayHints: addresses,
      })
    })
  })
})

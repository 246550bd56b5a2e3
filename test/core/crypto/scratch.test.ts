import { expect } from 'chai'
import { Scratch } from '../../../packages/core/bindings/crypto-wasm/scratch.ts'
import { loadSodium, type SodiumExports } from '../../../packages/core/bindings/crypto-wasm/sodium.ts'
import { PortError } from '../../../packages/core/src/errors.ts'
import { providers } from '../../support/providers.ts'
import { hex } from '../../support/vectors.ts'

const sodium = await loadSodium()

/** libsodium with a heap that gives nothing beyond `most` bytes at once. */
const short = (most: number): SodiumExports => ({
  ...sodium,
  get HEAPU8() {
    return sodium.HEAPU8
  },
  _malloc: (bytes) => (bytes > most ? 0 : sodium._malloc(bytes)),
  _free: (at) => sodium._free(at),
})

describe('scratch area', () => {
  it('stays where it is until more is asked for, and keeps what fits', () => {
    const scratch = new Scratch(sodium)
    const at = scratch.reserve(10)
    expect(scratch.reserve(256 * 1024)).to.equal(at)
    const larger = scratch.reserve(3 * 1024 * 1024)
    const bytes = Uint8Array.of(1, 2, 3)
    scratch.put(larger + 3 * 1024 * 1024 - 3, bytes)
    expect([...scratch.take(larger + 3 * 1024 * 1024 - 3, 3)]).to.deep.equal([1, 2, 3])
  })

  it('says that memory is out, and works again afterwards', () => {
    const scratch = new Scratch(short(1024 * 1024))
    try {
      scratch.reserve(1024 * 1024 + 1)
      expect.fail('nothing thrown')
    } catch (error) {
      expect(error).to.be.instanceOf(PortError)
      expect((error as PortError).code).to.equal('E_OUT_OF_MEMORY')
      expect((error as PortError).retryable).to.equal(true)
    }
    const at = scratch.reserve(100)
    scratch.put(at, Uint8Array.of(9))
    expect([...scratch.take(at, 1)]).to.deep.equal([9])
  })

  it('outlives a heap that grows: large texts after small ones', () => {
    const [key, nonce, none] = [new Uint8Array(32), new Uint8Array(24), new Uint8Array(0)]
    const large = new Uint8Array(20 * 1024 * 1024).fill(5)
    const [oracle, ...others] = providers
    const expected = hex(oracle!.sha256(oracle!.seal(key, nonce, large, none)))
    for (const crypto of others) {
      const sealed = crypto.seal(key, nonce, large, none)
      expect(hex(crypto.sha256(sealed)), crypto.name).to.equal(expected)
      expect(crypto.open(key, nonce, sealed, none)?.length, crypto.name).to.equal(large.length)
    }
  })
})

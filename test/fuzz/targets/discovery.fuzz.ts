import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import {
  createValidator,
  decodeHeads,
  encodeHeads,
  openRecords,
} from '../../../packages/core/src/discovery/index.ts'
import { decodeValue, encodeValue } from '../../../packages/core/src/discovery/value.ts'
import { bytesOf, dayMs, keyPair, noonMs, record } from '../../core/discovery/support.ts'
import { decodedTarget } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const crypto = await createNodeProvider()
const { key, value } = record('ada')
const place = { day: Math.floor(noonMs / dayMs), slot: 0 }
const validator = createValidator(crypto, () => noonMs)
const discovery = keyPair('ada').publicKey

export const targets: readonly FuzzTarget[] = [
  {
    name: 'discovery/value',
    seeds: [value, record('bob').value],
    run: (input) => decodedTarget(decodeValue(input), encodeValue, input),
  },
  {
    name: 'discovery/validator',
    seeds: [value],
    run: (input) => {
      const accepted = validator.validate(key, input) === undefined
      if (accepted && Buffer.compare(input, value) !== 0) throw new Error('took a value nobody signed')
      validator.select(key, [input])
      return accepted
    },
  },
  {
    name: 'discovery/reader',
    seeds: [value, record('ada', { seq: 2 }).value],
    weight: 20,
    run: (input) => openRecords(crypto, discovery, place, [input], noonMs).length > 0,
  },
  {
    name: 'discovery/account heads',
    seeds: [encodeHeads([bytesOf('head')], [bytesOf('op', 200), bytesOf('op 2', 120)])],
    run: (input) => decodedTarget(decodeHeads(input), ({ heads, ops }) => encodeHeads(heads, ops), input),
  },
]

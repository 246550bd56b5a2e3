/** Writes the frozen vectors: `node --import tsx --conditions sotto-source test/vectors/group/generate.ts`. A change of the file is a change of the wire. */
import { writeFileSync } from 'node:fs'
import { nobleProvider } from '../../../packages/core/src/crypto/index.ts'
import { playEpochs } from './epochs.ts'

const text = JSON.stringify(playEpochs(nobleProvider()), undefined, 1)
writeFileSync(new URL('epochs.json', import.meta.url), `${text}\n`)

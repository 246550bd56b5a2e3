/** Writes the frozen vectors: `node --import tsx --conditions sotto-source test/vectors/session/generate.ts`. A change of a file is a change of the wire. */
import { writeFileSync } from 'node:fs'
import { nobleProvider } from '../../../packages/core/src/crypto/index.ts'
import { conversations, playConversation } from './conversation.ts'

for (const { name, messages, invited } of conversations) {
  const vector = playConversation(nobleProvider(), name, messages, invited)
  writeFileSync(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(vector, undefined, 1)}\n`)
}

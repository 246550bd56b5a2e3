/**
 * `node --import …/register.mjs`: every process so started writes down what it seals, before it seals it. The
 * product knows nothing of it: a module hook puts `provider.ts` in the place of the Node crypto provider.
 */
import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)

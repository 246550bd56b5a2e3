/** `npm run model`: explores every scene and prints what was seen; `npm run model -- NAME…` explores some. */
import { createNodeProvider } from '../../packages/core/bindings/crypto-node/index.ts'
import { explore } from './explore.ts'
import { idealProvider } from './ideal.ts'
import { scenes } from './scenes.ts'

const crypto = idealProvider(await createNodeProvider())
const wanted = process.argv.slice(2)
let states = 0
for (const scene of scenes.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const started = process.hrtime.bigint()
  const found = explore(crypto, scene)
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  states += found.states
  console.log(
    `${scene.name}: ${String(found.states)} states, ${String(found.moves)} moves, depth ${String(found.depth)}, ` +
      `${String(found.localStates)} device states, ${seconds.toFixed(1)} s${found.whole ? '' : ', not whole'}`,
  )
  console.log(
    `  ${[...found.seen]
      .filter(([, times]) => times > 0)
      .map(([sight, times]) => `${sight} ${String(times)}`)
      .join(', ')}`,
  )
  if (found.broken !== undefined) {
    console.log(`  BROKEN: ${found.broken.property}\n    ${found.broken.way.join('\n    ')}`)
    process.exitCode = 1
  }
}
console.log(`${String(states)} states in all`)

/** Breadth-first search through every state a scene allows. */
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import type { Scene } from './universe.ts'
import { judgeQuiet } from './quiet.ts'
import type { Sight, State } from './tables.ts'
import { World } from './world.ts'

/** What an exploration found. */
export interface Explored {
  readonly scene: Scene
  readonly states: number
  readonly moves: number
  readonly localStates: number
  /** Moves from the start to the deepest state. */
  readonly depth: number
  /** False when the search ended at its bound of states. */
  readonly whole: boolean
  readonly seen: ReadonlyMap<Sight, number>
  /** The first broken property and the shortest way to it. */
  readonly broken: { readonly property: string; readonly way: readonly string[] } | undefined
}

/** Explores a scene, at most so many states, up to the first broken property. */
export function explore(crypto: CryptoProvider, scene: Scene, bound = Infinity): Explored {
  const world = new World(crypto, scene)
  const first = world.initial()
  const known = new Set([world.keyOf(first)])
  const parents: number[] = [-1]
  const labels: string[] = ['']
  let frontier: { readonly id: number; readonly state: State }[] = [{ id: 0, state: first }]
  let moves = 0
  let depth = 0
  const wayTo = (id: number, last: string): readonly string[] => {
    const way = [last]
    for (let at = id; at > 0; at = parents[at]!) way.push(labels[at]!)
    return way.reverse()
  }
  const result = (whole: boolean, broken?: Explored['broken']): Explored => ({
    scene,
    states: known.size,
    moves,
    localStates: world.tables.locals.length,
    depth,
    whole,
    seen: world.tables.seen,
    broken,
  })
  while (frontier.length > 0) {
    const following: typeof frontier = []
    for (const { id, state } of frontier) {
      const possible = world.moves(state)
      const [unread] = judgeQuiet(world.tables, state, possible)
      if (unread !== undefined)
        return result(false, { property: unread, way: wayTo(id, 'and nothing moves') })
      for (const { label, next, broken } of possible) {
        moves += 1
        if (broken[0] !== undefined) return result(false, { property: broken[0], way: wayTo(id, label) })
        const key = world.keyOf(next)
        if (known.has(key)) continue
        if (known.size >= bound) return result(false)
        known.add(key)
        parents.push(id)
        labels.push(label)
        following.push({ id: parents.length - 1, state: next })
      }
    }
    if (following.length > 0) depth += 1
    frontier = following
  }
  return result(true)
}

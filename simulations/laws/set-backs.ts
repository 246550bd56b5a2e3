import type { Stage } from '../scenarios/stage.ts'
import type { Said } from './ledger.ts'
import type { Sealing } from './recorder.ts'
import type { Watched } from './watched.ts'

/** A machine as far as these laws look at it. */
type Aged = Pick<Watched, 'name' | 'setBack' | 'home'>

/**
 * Whether a key was used again by a machine that went on from an older copy of itself and had not been told: a state
 * that was copied cannot know. Its nonces differ all the same.
 */
export function isExcused(machines: readonly Aged[], first: Sealing, again: Sealing): boolean {
  const [one, other] = [first, again].map(({ by }) => machines.find(({ name }) => name === by))
  // Neither of two copies knows what the other has sealed.
  if (one !== other) return one !== undefined && one.home === other?.home
  const setBack = one?.setBack
  if (setBack === undefined) return false
  return (
    first.atMs <= setBack.atMs && again.atMs >= setBack.atMs && again.atMs <= (setBack.toldMs ?? Infinity)
  )
}

/** Words of a machine's own that its older copy does not know of. */
const lostWith = (
  { name, setBack }: Pick<Aged, 'name' | 'setBack'>,
  said: readonly Said[],
): readonly Said[] =>
  setBack === undefined
    ? []
    : said.filter(({ machine, atMs }) => machine === name && atMs > setBack.fromMs && atMs < setBack.atMs)

/** Who goes on from an older copy and got words of its own back that it did not know of is told what it is. */
export async function judgeSetBacks(stage: Stage): Promise<void> {
  const { ledger } = stage.world
  for (const machine of stage.machines()) {
    if (machine.setBack === undefined || machine.setBack.toldMs !== undefined) continue
    for (const { messageId, conversationId, marker } of lostWith(machine, ledger.accepted())) {
      const { messages } = await machine.history(conversationId)
      if (messages.some((message) => message.messageId === messageId))
        ledger.violate('set-back-named', `${machine.name} got ${marker} of its own back and was told nothing`)
    }
  }
}

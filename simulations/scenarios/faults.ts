import type { Stage } from './stage.ts'

const minute = 60_000

/** Faults every scenario has, as often as its plan says. */
export function beginFaults(stage: Stage): void {
  crashes(stage)
  relayCrashes(stage)
  diskFaults(stage)
  clocks(stage)
}

function crashes(stage: Stage): void {
  const { world, plan, users } = stage
  const draw = world.stream('faults', 'crash')
  stage.repeat(draw, plan.crashEveryMs, () => {
    const user = draw.pick(users)
    const pauseMs = draw.lognormal(30_000, 2)
    const moves = draw.chance(0.3)
    const atWrite = draw.chance(0.5)
    if (user.device === undefined) return
    if (atWrite) return user.disk.crashAtWrite()
    world.faults.strike('crash')
    if (moves) {
      world.faults.strike('address-changed')
      user.move()
    }
    void user.crash()
    world.timeline.after(pauseMs, () => {
      if (user.wanted) void user.boot()
    })
  })
}

function relayCrashes(stage: Stage): void {
  const { world, plan, relays } = stage
  const draw = world.stream('faults', 'relay')
  stage.repeat(draw, plan.relayCrashEveryMs, () => {
    const relay = draw.pick(relays)
    const pauseMs = draw.lognormal(2 * minute, 2)
    if (draw.chance(0.3)) {
      world.faults.strike('relay-disk')
      relay.disk.failing = true
      world.timeline.after(pauseMs, () => (relay.disk.failing = false))
      return
    }
    if (!relay.running) return
    world.faults.strike('relay-crash')
    relay.crash()
    world.timeline.after(pauseMs, () => {
      relay.boot()
    })
  })
}

function diskFaults(stage: Stage): void {
  const { world, plan, users } = stage
  const draw = world.stream('faults', 'disk')
  stage.repeat(draw, plan.diskFaultEveryMs, () => {
    const user = draw.pick(users)
    const kind = draw.pick(['full', 'sync'] as const)
    const pauseMs = draw.lognormal(5 * minute, 1)
    if (user.device === undefined) return
    user.disk.fail(kind)
    world.timeline.after(pauseMs, () => {
      user.disk.mend()
      // A store that reported an I/O error takes nothing more until it is opened anew.
      if (user.disk.sick) void user.crash().then(() => (user.wanted ? user.boot() : undefined))
    })
  })
}

/** Every machine's clock is a little wrong, and some jump and come back. */
function clocks(stage: Stage): void {
  const { world, plan, users } = stage
  const draw = world.stream('clock')
  for (const user of users) {
    user.clock.errorMs = draw.between(-1, 1) * plan.skewMs
    if (user.clock.errorMs !== 0) world.faults.strike('clock-skew')
  }
  stage.repeat(draw, plan.clockJumpEveryMs, () => {
    const user = draw.pick(users)
    const before = user.clock.errorMs
    world.faults.strike('clock-jump')
    user.clock.errorMs = before + draw.between(-1, 1) * 12 * 60 * minute
    world.timeline.after(draw.lognormal(60 * minute, 1), () => (user.clock.errorMs = before))
  })
}

import type { Stage } from './stage.ts'

const minute = 60_000

/** Faults every scenario has, as often as its plan says. */
export function beginFaults(stage: Stage): void {
  crashes(stage)
  moves(stage)
  relayCrashes(stage)
  diskFaults(stage)
  clocks(stage)
  stalls(stage)
}

function crashes(stage: Stage): void {
  const { world, plan } = stage
  const draw = world.stream('faults', 'crash')
  stage.repeat(draw, plan.crashEveryMs, () => {
    const machine = draw.pick(stage.everything())
    const pauseMs = draw.lognormal(30_000, 2)
    const atWrite = draw.chance(0.5)
    if (machine.device === undefined) return
    if (atWrite) return machine.disk.crashAtWrite()
    world.faults.strike('crash')
    void machine.crash()
    world.timeline.after(pauseMs, () => {
      if (machine.wanted) void machine.boot()
    })
  })
}

/** Machines come back under another address, as in another network. */
function moves(stage: Stage): void {
  const { world, plan } = stage
  const draw = world.stream('faults', 'move')
  stage.repeat(draw, plan.moveEveryMs, () => {
    const machine = draw.pick(stage.everything())
    if (machine.device === undefined) return
    world.faults.strike('address-changed')
    machine.move()
    void machine.crash().then(() => (machine.wanted ? machine.boot() : undefined))
  })
}

function relayCrashes(stage: Stage): void {
  const { world, plan, relays } = stage
  const draw = world.stream('faults', 'relay')
  stage.repeat(draw, plan.relayCrashEveryMs, () => {
    const relay = draw.pick(relays)
    const pauseMs = draw.lognormal(2 * minute, 2)
    if (draw.chance(0.3)) {
      const over = world.befall(relay.name, 'relay-disk')
      relay.disk.failing = true
      world.timeline.after(pauseMs, () => {
        relay.disk.failing = false
        over()
      })
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
  const { world, plan } = stage
  const draw = world.stream('faults', 'disk')
  stage.repeat(draw, plan.diskFaultEveryMs, () => {
    const machine = draw.pick(stage.everything())
    const kind = draw.pick(['full', 'sync'] as const)
    const pauseMs = draw.lognormal(5 * minute, 1)
    if (machine.device === undefined) return
    const over = world.befall(machine.name, `disk-${kind}`)
    machine.disk.fail(kind)
    world.timeline.after(pauseMs, () => {
      machine.disk.mend()
      over()
      // A store that reported an I/O error takes nothing more until it is opened anew.
      if (machine.disk.sick) void machine.crash().then(() => (machine.wanted ? machine.boot() : undefined))
    })
  })
}

/** A machine's links to some others stay open and pass nothing, one way or both, for seconds to minutes. */
function stalls(stage: Stage): void {
  const { world, plan } = stage
  const draw = world.stream('faults', 'stall')
  stage.repeat(draw, plan.stallEveryMs, () => {
    const hosts = stage.hosts()
    const one = draw.pick(hosts)
    const out = hosts.filter((host) => host !== one && draw.chance(0.6)).map((host) => [one, host] as const)
    const back = out.map(([from, to]) => [to, from] as const)
    const forMs = Math.min(draw.lognormal(30_000, 1.2), 20 * minute)
    world.faults.strike('stall')
    world.trace.note('stall', { host: one, forMs: Math.round(forMs) })
    stage.stall(draw.chance(0.5) ? out : [...out, ...back], forMs)
  })
}

/** Every machine's clock is a little wrong, and some jump and come back. */
function clocks(stage: Stage): void {
  const { world, plan } = stage
  const draw = world.stream('clock')
  for (const machine of stage.everything()) {
    machine.clock.errorMs = draw.between(-1, 1) * plan.skewMs
    if (machine.clock.errorMs !== 0) world.faults.strike('clock-skew')
  }
  stage.repeat(draw, plan.clockJumpEveryMs, () => {
    const machine = draw.pick(stage.everything())
    const before = machine.clock.errorMs
    const over = world.befall(machine.name, 'clock-jump')
    machine.clock.errorMs = before + draw.between(-1, 1) * 12 * 60 * minute
    world.timeline.after(draw.lognormal(60 * minute, 1), () => {
      machine.clock.errorMs = before
      over()
    })
  })
}

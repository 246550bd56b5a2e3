import type { DeviceEvent, DeviceFace } from '@sotto/core'

/** Passes events on in order and never twice. */
function inOrder(listener: (event: DeviceEvent) => void, since: number) {
  let last = since
  return {
    pass(event: DeviceEvent): void {
      if (event.seq <= last) return
      last = event.seq
      listener(event)
    },
    last: () => last,
  }
}

/**
 * Events from `since` on: what is stored first, then what happens, each once and in order; without `since`
 * only what happens. Resolves once the stored ones were passed; the result ends it.
 */
export async function follow(
  face: DeviceFace,
  since: number | undefined,
  listener: (event: DeviceEvent) => void,
): Promise<() => void> {
  const order = inOrder(listener, since ?? -1)
  if (since === undefined) return face.subscribe((event) => order.pass(event))
  const waiting: DeviceEvent[] = []
  let pass = (event: DeviceEvent): unknown => waiting.push(event)
  const stop = face.subscribe((event) => void pass(event))
  for (;;) {
    const page = await face.view('events', { since: order.last() })
    for (const event of page) order.pass(event)
    if (page.length === 0) break
  }
  for (const event of waiting) order.pass(event)
  pass = (event) => order.pass(event)
  return stop
}

import type { NetworkEvent } from '@sotto/core/ports'
import type { Timeline } from './timeline.ts'

/** What a channel knows of the node at one of its ends. */
export interface Host {
  /** Name of the machine. */
  readonly host: string
  readonly peer: string
  /** Gives an end its number. */
  adopt(end: End): number
  forget(end: End): void
  emit(event: NetworkEvent): Promise<void>
  traceFrame(end: End, frame: Uint8Array): void
  /** A cut was made somewhere. */
  noticeCuts(): void
}

/** What a channel knows of what lies between its ends. */
interface Medium {
  readonly timeline: Timeline
  delayMs(from: string, to: string): number
  arrive(from: string, to: string, delayMs: number, work: () => void): void
  noticeMs(): number
}

/** One end of a channel. */
export class End {
  readonly number: number
  readonly node: Host
  readonly protocol: string
  /** Bytes written towards this end and not yet arrived. */
  onWayBytes = 0
  lastArrivalMs = 0
  closed = false
  /** Lost a frame: nothing arrives here any more, whatever the other direction does. */
  deaf = false
  readonly #inbox: Uint8Array[] = []
  #draining = false

  constructor(node: Host, protocol: string) {
    this.node = node
    this.protocol = protocol
    this.number = node.adopt(this)
  }

  /** A frame has come all the way. */
  arrive(frame: Uint8Array): void {
    if (this.closed || this.deaf) return
    this.#inbox.push(frame)
    void this.#drain()
  }

  /** Hands frames over one by one, each after the listener is ready for it. */
  async #drain(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    for (let frame = this.#inbox.shift(); frame !== undefined; frame = this.#inbox.shift()) {
      if (this.closed) break
      this.node.traceFrame(this, frame)
      await this.node.emit({ type: 'frame', channel: this.number, frame: frame.slice() })
    }
    this.#draining = false
  }

  /** The last thing that happens to an end. */
  finish(reason: 'closed' | 'reset'): void {
    if (this.closed) return
    this.closed = true
    this.node.forget(this)
    void this.node.emit({ type: 'closed', channel: this.number, reason })
  }
}

/** A reliable, ordered stream of frames both ways, until it breaks. */
export class Channel {
  readonly near: End
  readonly far: End
  readonly #air: Medium
  #doomed = false

  constructor(air: Medium, near: End, far: End) {
    this.#air = air
    this.near = near
    this.far = far
  }

  other(end: End): End {
    return end === this.near ? this.far : this.near
  }

  /** A frame towards `end` was lost: that direction is over, and each end learns of it in its own time. */
  doom(end: End): void {
    end.deaf = true
    if (this.#doomed) return
    this.#doomed = true
    for (const one of [this.near, this.far])
      this.#air.timeline.after(this.#air.noticeMs(), () => one.finish('reset'))
  }

  /** Closed by one end: the other hears it after everything sent before. */
  close(end: End): void {
    const other = this.other(end)
    end.finish('closed')
    const [from, to] = [end.node.host, other.node.host]
    const { nowMs } = this.#air.timeline
    const due = Math.max(other.lastArrivalMs, nowMs + this.#air.delayMs(from, to))
    this.#air.arrive(from, to, due - nowMs, () => {
      other.finish('closed')
    })
  }
}

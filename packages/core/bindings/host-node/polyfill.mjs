/**
 * Gives Node 20 the three globals libp2p takes for granted (Node 22 and later have them).
 * First import of every Node entry point: libp2p looks them up when a node starts.
 */
import { WebSocket } from 'ws'

if (typeof Promise.withResolvers !== 'function') {
  Promise.withResolvers = function withResolvers() {
    let resolve
    let reject
    const promise = new this((onResolve, onReject) => {
      resolve = onResolve
      reject = onReject
    })
    return { promise, resolve, reject }
  }
}

if (typeof globalThis.WebSocket !== 'function') globalThis.WebSocket = WebSocket

if (typeof globalThis.CloseEvent !== 'function') {
  globalThis.CloseEvent = class CloseEvent extends Event {
    constructor(type, init = {}) {
      super(type, init)
      this.code = init.code ?? 0
      this.reason = init.reason ?? ''
      this.wasClean = init.wasClean ?? false
    }
  }
}

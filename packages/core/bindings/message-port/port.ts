/** A message event, as every kind of port gives it. */
export interface PortMessage {
  readonly data: unknown
}

/**
 * What MessagePort, Worker, BroadcastChannel, Node's MessagePort and `socketPort` have in common. Messages
 * are structured-cloneable and arrive in order.
 */
export interface PortLike {
  postMessage(message: unknown, options?: { transfer: ArrayBuffer[] }): void
  addEventListener(type: 'message', listener: (event: PortMessage) => void): void
  addEventListener(type: 'close', listener: () => void): void
  removeEventListener(type: 'message', listener: (event: PortMessage) => void): void
  removeEventListener(type: 'close', listener: () => void): void
  /** MessagePorts hold their messages until started. */
  start?(): void
}

/** What `socketPort` needs of a WebSocket, the browser's or that of `ws`. */
export interface SocketLike {
  send(text: string): void
  addEventListener(type: 'message', listener: (event: PortMessage) => void): void
  addEventListener(type: 'close', listener: () => void): void
  removeEventListener(type: 'message', listener: (event: PortMessage) => void): void
  removeEventListener(type: 'close', listener: () => void): void
}

/** An open WebSocket as a port: each message is one JSON text, so no bytes may cross. Other text is ignored. */
export function socketPort(socket: SocketLike): PortLike {
  const wrapped = new Map<unknown, (event: PortMessage) => void>()
  const wrap = (listener: (event: PortMessage) => void) => (event: PortMessage) => {
    const data = parse(event.data)
    if (data !== undefined) listener({ data })
  }
  return {
    postMessage: (message) => socket.send(JSON.stringify(message)),
    addEventListener: (type: 'message' | 'close', listener: (event: PortMessage) => void) => {
      if (type === 'close') {
        socket.addEventListener('close', listener as () => void)
        return
      }
      const wrapper = wrap(listener)
      wrapped.set(listener, wrapper)
      socket.addEventListener('message', wrapper)
    },
    removeEventListener: (type: 'message' | 'close', listener: (event: PortMessage) => void) => {
      const wrapper = wrapped.get(listener)
      if (type === 'close') socket.removeEventListener('close', listener as () => void)
      else if (wrapper !== undefined) socket.removeEventListener('message', wrapper)
      wrapped.delete(listener)
    },
  }
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

import { exposePort } from './expose.ts'
import type { PortLike } from './port.ts'
import { remotePort, type RemoteOptions } from './remote.ts'

/** The shape of a device's face, whatever its commands, queries and events are. */
export interface FaceShape {
  dispatch(command: never, input: never): Promise<unknown>
  view(query: never, input: never): Promise<unknown>
  subscribe(listener: (event: unknown) => void): () => void
}

const name = 'face'

/** Offers a device's face to every remote end of the port; the result withdraws it. */
export function exposeFace(port: PortLike, face: FaceShape): () => void {
  let unsubscribe = (): void => undefined
  const withdraw = exposePort(port, {
    name,
    methods: {
      dispatch: (command: never, input: never) => face.dispatch(command, input),
      view: (query: never, input: never) => face.view(query, input),
    },
    listen: (listener) => {
      unsubscribe = face.subscribe((event) => void listener(event))
    },
  })
  return () => {
    unsubscribe()
    withdraw()
  }
}

/** A remote face and the way to let its port go. */
export type RemoteFace<F extends FaceShape> = Pick<F, 'dispatch' | 'view' | 'subscribe'> & { close(): void }

/** The face exposed at the other end of the port, with the types of the face given: `remoteFace<DeviceFace>(port)`. */
export function remoteFace<F extends FaceShape>(port: PortLike, options: RemoteOptions = {}): RemoteFace<F> {
  const remote = remotePort(port, name, options)
  const face = {
    dispatch: (command: unknown, input: unknown) => remote.call('dispatch', [command, input]),
    view: (query: unknown, input: unknown) => remote.call('view', [query, input]),
    subscribe: (listener: (event: unknown) => void) => remote.listen(listener),
    close: () => remote.close(),
  }
  return face
}

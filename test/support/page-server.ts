/** Serves the built app as a local node does, with a face of the test's own behind it. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveStatic } from '@sotto/core/host-node'
import { exposeFace, socketPort, type FaceShape } from '@sotto/core/message-port'
import { WebSocketServer } from 'ws'
import type { Served } from './browser.ts'
import { appFolder } from './tabs.ts'

/** With a face the page shows that one; without, it is told to be a device of its own by `face.json`. */
export async function servePage(face?: FaceShape): Promise<Served> {
  const files = serveStatic(appFolder)
  const server = createServer((request, response) => {
    if (face !== undefined && request.url === '/face.json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"face":"node"}')
      return
    }
    if (request.url === '/.well-known/sotto') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"addresses":[]}')
      return
    }
    // A file shown by itself makes the browser ask for an icon.
    void files(request, response).then((answered) => {
      if (!answered) response.writeHead(request.url === '/favicon.ico' ? 204 : 404).end()
    })
  })
  const sockets = new WebSocketServer({ server, path: '/face' })
  sockets.on('connection', (socket) => {
    if (face === undefined) return
    const withdraw = exposeFace(socketPort(socket), face)
    socket.once('close', withdraw)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closeServer(server, sockets),
  }
}

function closeServer(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

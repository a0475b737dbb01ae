// A WebSocket server and client of npm's `ws` between the suite and a broker: what the one sends, the
// other gets. usage: relay.mjs WS_MODULE UPSTREAM; prints its own endpoint.
import { pathToFileURL } from 'node:url'

const { default: WebSocket, WebSocketServer } = await import(pathToFileURL(process.argv[2]))
const upstream = process.argv[3]
const limits = { maxPayload: 4_194_304, perMessageDeflate: false }

const server = new WebSocketServer({
  host: '127.0.0.1', port: 0, path: '/', ...limits,
  handleProtocols: (offered) => offered.has('sealwire.0') && 'sealwire.0',
  verifyClient: ({ req }) => req.headers.origin === undefined,
})
server.on('connection', (near) => {
  const far = new WebSocket(upstream, 'sealwire.0', { rejectUnauthorized: false, ...limits })
  const waiting = []
  near.on('message', (data, binary) => {
    if (!binary) near.close(1003)
    else if (far.readyState === WebSocket.OPEN) far.send(data)
    else waiting.push(data)
  })
  far.on('open', () => { for (const data of waiting.splice(0)) far.send(data) })
  far.on('message', (data) => near.send(data))
  near.on('close', () => far.close())
  far.on('close', () => near.close(1000))
  for (const end of [near, far]) end.on('error', () => {})
})
server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}/`))

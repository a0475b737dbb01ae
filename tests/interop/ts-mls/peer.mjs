// Our C++ member as a process: `await peer.do('seal', {...})`.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Peer {
  constructor(program) {
    this.process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }
  async do(op, request = {}) {
    this.process.stdin.write(JSON.stringify({ op, ...request }) + '\n')
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`the C++ member ended at ${op}`)
    const reply = JSON.parse(value)
    if (reply.error !== undefined) throw new Error(`${op}: ${reply.error}`)
    return reply
  }
  close() {
    this.process.stdin.end()
  }
}

// What the TypeScript SDK makes of a vector: a JSON line in, a JSON line out, for `sealwire-conformance codec`.
import { createInterface } from 'node:readline'
import { unhex } from '../../../sdk/typescript/dist/esm/bytes.js'
import { checkSignature, parseEnvelope } from '../../../sdk/typescript/dist/esm/envelope/envelope.js'
import { checkTimes } from '../../../sdk/typescript/dist/esm/envelope/header.js'
import { checkInception } from '../../../sdk/typescript/dist/esm/identity/identity.js'
import { checkPrekey } from '../../../sdk/typescript/dist/esm/identity/prekey.js'
import { parseAgentText, parseDidKey } from '../../../sdk/typescript/dist/esm/identity/text.js'
import { parseFrame } from '../../../sdk/typescript/dist/esm/wire/frame.js'
import { openStatement, prekeyKind, readStatement, redemptionKind } from '../../../sdk/typescript/dist/esm/wire/statement.js'

const decide = {
  frame: ({ bytes }) => parseFrame(bytes),
  envelope: async ({ bytes, now_ms }) => {
    const envelope = parseEnvelope(bytes)
    await checkSignature(envelope)
    checkTimes(envelope.header, now_ms)
  },
  inception: ({ signed }) => checkInception(signed),
  prekey: ({ signed, now_ms }) =>
    checkPrekey(signed, readStatement(prekeyKind.table, prekeyKind.identifier, signed.statement).instance, now_ms),
  redemption: ({ signed }) =>
    openStatement(redemptionKind, readStatement(redemptionKind.table, redemptionKind.identifier, signed.statement).invite, signed),
  instance: ({ text }) => parseDidKey(text),
  agent: ({ text }) => parseAgentText(text),
}
// Whatever is wrong with one of these is told as one code (chapter ERR): who reads it here is not who tells a peer.
const told = { inception: 'unauthenticated', prekey: 'malformed', redemption: 'denied' }

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  const bytes = question.hex === undefined ? undefined : unhex(question.hex)
  const signed = { statement: bytes, signature: question.signature && unhex(question.signature) }
  let code = 'ok'
  try {
    await decide[question.kind]({ ...question, bytes, signed })
  } catch (error) {
    code = told[question.kind] ?? error.code ?? String(error)
  }
  console.log(JSON.stringify({ accept: code === 'ok', code }))
}

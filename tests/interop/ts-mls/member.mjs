// A member that runs on ts-mls, with the same few deeds as ours.
import * as mls from 'ts-mls'
import { mlsExporter } from 'ts-mls/keySchedule.js'
import { defaultClientConfig } from 'ts-mls/clientConfig.js'

const suite = await mls.getCiphersuiteImpl(
  mls.getCiphersuiteFromName('MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519'))

export const hex = (bytes) => Buffer.from(bytes).toString('hex')
export const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'))
const utf8 = (text) => new TextEncoder().encode(text)

// Its defaults accept every credential and any lifetime.
const config = {
  ...defaultClientConfig,
  lifetimeConfig: { ...defaultClientConfig.lifetimeConfig, validateLifetimeOnReceive: true },
  authService: {
    async validateCredential(credential, key) {
      return credential.credentialType === 'basic' &&
        Buffer.from(credential.identity).toString() === 'peer:' + hex(key)
    },
  },
}

function decode(text, wireformat) {
  const bytes = unhex(text)
  const [message, used] = mls.decodeMlsMessage(bytes, 0)
  if (used !== bytes.length) throw new Error('bytes after the end of a message')
  if (wireformat && message.wireformat !== wireformat) throw new Error(`a ${message.wireformat}`)
  if (hex(mls.encodeMlsMessage(message)) !== text) throw new Error('re-encodes to other bytes')
  return message
}

const encode = (wireformat, field, value) =>
  hex(mls.encodeMlsMessage({ version: 'mls10', wireformat, [field]: value }))

export class Member {
  async keyPackage() {
    const keys = await suite.signature.keygen()
    const seconds = BigInt(Math.floor(Date.now() / 1000))
    const made = await mls.generateKeyPackageWithKey(
      { credentialType: 'basic', identity: utf8('peer:' + hex(keys.publicKey)) },
      mls.defaultCapabilities(), { notBefore: seconds - 60n, notAfter: seconds + 86400n }, [], keys, suite)
    this.publicPackage = made.publicPackage
    this.privatePackage = made.privatePackage
    this.psks = {}
    return encode('mls_key_package', 'keyPackage', made.publicPackage)
  }
  async create(groupId) {
    await this.keyPackage()
    this.state = await mls.createGroup(utf8(groupId), this.publicPackage, this.privatePackage, [], suite, config)
  }
  pskIndex() {
    return { findPsk: (id) => (id.psktype === 'external' ? this.psks[hex(id.pskId)] : undefined) }
  }
  async join(welcome) {
    this.state = await mls.joinGroup(decode(welcome, 'mls_welcome').welcome, this.publicPackage,
      this.privatePackage, this.pskIndex(), suite, undefined, undefined, config)
  }
  /** Applied at once: the broker of these runs takes every commit. */
  async commit({ adds = [], removes = [], psks = [], open = true } = {}) {
    const extraProposals = [
      ...removes.map((removed) => ({ proposalType: 'remove', remove: { removed } })),
      ...adds.map((text) => ({
        proposalType: 'add', add: { keyPackage: decode(text, 'mls_key_package').keyPackage } })),
      ...psks.map((id) => ({ proposalType: 'psk', psk: { preSharedKeyId: {
        psktype: 'external', pskId: unhex(id), pskNonce: suite.rng.randomBytes(32) } } })),
    ]
    const made = await mls.createCommit({ state: this.state, cipherSuite: suite, pskIndex: this.pskIndex() },
      { extraProposals, wireAsPublicMessage: open, ratchetTreeExtension: true })
    this.state = made.newState
    return {
      commit: hex(mls.encodeMlsMessage(made.commit)),
      welcome: made.welcome && encode('mls_welcome', 'welcome', made.welcome),
    }
  }
  async propose(proposal, open) {
    const made = await mls.createProposal(this.state, open, proposal, suite)
    this.state = made.newState
    return hex(mls.encodeMlsMessage(made.message))
  }
  async process(text) {
    const message = decode(text)
    const result = await mls.processMessage(message, this.state, this.pskIndex(), mls.acceptAll, suite)
    this.state = result.newState
    if (result.kind === 'applicationMessage') return Buffer.from(result.message).toString()
    return result.kind
  }
  async seal(words, aad = '') {
    const made = await mls.createApplicationMessage(this.state, utf8(words), suite, utf8(aad))
    this.state = made.newState
    return encode('mls_private_message', 'privateMessage', made.privateMessage)
  }
  get leaf() { return this.state.privatePath.leafIndex }
  async status() {
    const { keySchedule, groupContext } = this.state
    return {
      epoch: Number(groupContext.epoch),
      authenticator: hex(keySchedule.epochAuthenticator),
      exported: hex(await mlsExporter(keySchedule.exporterSecret, 'interop', utf8('context'), 32, suite)),
    }
  }
}

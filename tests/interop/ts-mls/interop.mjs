// The scenarios: each group is founded by one side, and both sides do everything that MLS lets them.
import assert from 'node:assert/strict'
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { Member, hex, unhex } from './member.mjs'
import { Peer } from './peer.mjs'

const program = process.argv[2]
let passed = 0
let failed = 0
const peers = []

function peer() {
  peers.push(new Peer(program))
  return peers.at(-1)
}

async function scenario(name, run) {
  try {
    await run()
    ++passed
    console.log(`ok      ${name}`)
  } catch (error) {
    ++failed
    console.log(`FAILED  ${name}\n        ${error.stack}`)
  }
  for (const each of peers.splice(0)) each.close()
}

async function agree(...members) {
  const states = await Promise.all(members.map((m) => (m instanceof Member ? m.status() : m.do('state'))))
  for (const { epoch, authenticator, exported } of states) {
    assert.equal(epoch, states[0].epoch)
    assert.equal(authenticator, states[0].authenticator)
    assert.equal(exported, states[0].exported)
  }
}

async function talk(ours, theirs) {
  const first = await ours.do('seal', { text: 'first', aad: 'header' })
  const second = await ours.do('seal', { text: 'second' })
  assert.equal(await theirs.process(second.message), 'second')
  assert.equal(await theirs.process(first.message), 'first')
  const third = await theirs.seal('third', 'header')
  const fourth = await theirs.seal('fourth')
  assert.equal((await ours.do('open', { message: fourth })).text, 'fourth')
  const opened = await ours.do('open', { message: third })
  assert.equal(opened.text, 'third')
  assert.equal(opened.aad, 'header')
  assert.equal(opened.sender, theirs.leaf)
  await assert.rejects(ours.do('open', { message: third }), /mls_generation_used/)
}

async function foundedByUs() {
  const ours = peer()
  const theirs = new Member()
  await ours.do('create', { group_id: hex(Buffer.from('founded by C++')) })
  const made = await ours.do('commit', { adds: [await theirs.keyPackage()] })
  await ours.do('apply')
  await theirs.join(made.welcome)
  await agree(ours, theirs)
  return { ours, theirs }
}

async function foundedByThem() {
  const ours = peer()
  const theirs = new Member()
  await theirs.create('founded by ts-mls')
  const { key_package } = await ours.do('key_package')
  const made = await theirs.commit({ adds: [key_package] })
  await ours.do('join', { welcome: made.welcome })
  await agree(ours, theirs)
  return { ours, theirs }
}

const hpke = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() })
const text = (words) => new TextEncoder().encode(words).buffer
const parts = { info: 'an info', aad: 'a header' }

await scenario('HPKE: what we seal, @hpke opens', async () => {
  const keys = await hpke.kem.generateKeyPair()
  const key = hex(new Uint8Array(await hpke.kem.serializePublicKey(keys.publicKey)))
  const sealed = await peer().do('hpke_seal', { key, ...parts, text: 'a letter' })
  const opened = await hpke.open(
    { recipientKey: keys.privateKey, enc: unhex(sealed.enc).buffer, info: text(parts.info) },
    unhex(sealed.ciphertext).buffer, text(parts.aad))
  assert.equal(Buffer.from(opened).toString(), 'a letter')
})

await scenario('HPKE: what @hpke seals and exports, we open and export', async () => {
  const ours = peer()
  const { key } = await ours.do('hpke_key')
  const recipientPublicKey = await hpke.kem.deserializePublicKey(unhex(key).buffer)
  const sender = await hpke.createSenderContext({ recipientPublicKey, info: text(parts.info) })
  const ciphertext = hex(new Uint8Array(await sender.seal(text('a reply'), text(parts.aad))))
  const enc = hex(new Uint8Array(sender.enc))
  assert.equal((await ours.do('hpke_open', { enc, ciphertext, ...parts })).text, 'a reply')
  const secret = hex(new Uint8Array(await sender.export(text('context'), 32)))
  assert.equal((await ours.do('hpke_export', { enc, ...parts, context: 'context' })).secret, secret)
  await assert.rejects(ours.do('hpke_open', { enc, ciphertext, info: 'another', aad: parts.aad }))
})

for (const [founder, found] of [['us', foundedByUs], ['ts-mls', foundedByThem]]) {
  await scenario(`group founded by ${founder}: join, messages both ways and out of order`, async () => {
    const { ours, theirs } = await found()
    await talk(ours, theirs)
  })

  await scenario(`group founded by ${founder}: updates by both sides, over and over`, async () => {
    const { ours, theirs } = await found()
    for (let round = 0; round < 5; ++round) {
      const made = await ours.do('commit', { aad: 'header' })
      await theirs.process(made.commit)
      await ours.do('apply')
      await agree(ours, theirs)
      await talk(ours, theirs)
      const { commit } = await theirs.commit({ open: round % 2 === 0 })  // also as PrivateMessage
      await ours.do('process', { message: commit })
      await agree(ours, theirs)
      await talk(ours, theirs)
      await ours.do('restart')
    }
  })

  await scenario(`group founded by ${founder}: colliding commits, we lose and follow`, async () => {
    const { ours, theirs } = await found()
    await ours.do('commit')
    const { commit } = await theirs.commit()
    await ours.do('process', { message: commit })
    await agree(ours, theirs)
    await talk(ours, theirs)
  })

  await scenario(`group founded by ${founder}: proposals by reference`, async () => {
    const { ours, theirs } = await found()
    const update = await ours.do('propose_update')
    await theirs.process(update.message)
    await ours.do('process', { message: (await theirs.commit()).commit })
    await agree(ours, theirs)
    const third = peer()
    const { key_package } = await third.do('key_package')
    const add = await ours.do('propose_add', { key_package })
    await theirs.process(add.message)
    const made = await ours.do('commit')
    await theirs.process(made.commit)
    await ours.do('apply')
    await third.do('join', { welcome: made.welcome })
    await agree(ours, theirs, third)
    const leaf = (await third.do('own_leaf')).leaf
    for (const open of [true, false]) {
      const removal = await theirs.propose({ proposalType: 'remove', remove: { removed: leaf } }, open)
      await ours.do('process', { message: removal })
      await third.do('process', { message: removal })
      if (open) continue
      const gone = await ours.do('commit')
      await theirs.process(gone.commit)
      await ours.do('apply')
      assert.equal((await third.do('process', { message: gone.commit })).self_removed, true)
    }
    await agree(ours, theirs)
    await talk(ours, theirs)
  })

  await scenario(`group founded by ${founder}: six members come and go`, async () => {
    const { ours, theirs } = await found()
    const third = peer()
    const fourth = new Member()
    const fifth = peer()
    const sixth = new Member()
    const everyone = [ours, theirs]
    const hear = async (message, but) => {
      for (const member of everyone) {
        if (member === but) continue
        if (member instanceof Member) await member.process(message)
        else await member.do('process', { message })
      }
    }
    const make = async (member, spec) => {
      const made = member instanceof Member ? await member.commit(spec) : await member.do('commit', spec)
      await hear(made.commit, member)
      if (!(member instanceof Member)) await member.do('apply')
      return made
    }
    const packageOf = async (member) =>
      member instanceof Member ? member.keyPackage() : (await member.do('key_package')).key_package
    const enter = async (by, newcomers) => {
      const made = await make(by, { adds: await Promise.all(newcomers.map(packageOf)) })
      for (const member of newcomers) {
        if (member instanceof Member) await member.join(made.welcome)
        else await member.do('join', { welcome: made.welcome })
        everyone.push(member)
      }
      await agree(...everyone)
    }
    await enter(theirs, [third, fourth])
    await enter(ours, [fifth, sixth])
    for (const member of everyone) await make(member, {}).then(() => agree(...everyone))
    everyone.splice(everyone.indexOf(third), 1)
    await make(theirs, { removes: [(await third.do('own_leaf')).leaf] })
    await agree(...everyone)
    everyone.splice(everyone.indexOf(fourth), 1)
    await make(ours, { removes: [fourth.leaf] })
    await agree(...everyone)
    const seventh = new Member()
    await enter(fifth, [seventh])
    for (const member of everyone) await make(member, {}).then(() => agree(...everyone))
    await talk(fifth, seventh)
    await agree(...everyone)
  })

  await scenario(`group founded by ${founder}: an external PSK from each side`, async () => {
    const { ours, theirs } = await found()
    const id = hex(Buffer.from('pairing'))
    await ours.do('psk', { id, psk: hex(Buffer.from('482-113')) })
    theirs.psks[id] = new Uint8Array(Buffer.from('482-113'))
    const made = await ours.do('commit', { psks: [id] })
    await theirs.process(made.commit)
    await ours.do('apply')
    await agree(ours, theirs)
    await ours.do('process', { message: (await theirs.commit({ psks: [id] })).commit })
    await agree(ours, theirs)
  })
}

await scenario('a lone Add without a path leaves the newcomer unmerged until the next commit', async () => {
  const { ours, theirs } = await foundedByUs()
  const third = new Member()
  const made = await ours.do('commit', { adds: [await third.keyPackage()], path: false })
  await theirs.process(made.commit)
  await ours.do('apply')
  await third.join(made.welcome)
  await agree(ours, theirs, third)
  const next = await theirs.commit()
  await ours.do('process', { message: next.commit })
  await third.process(next.commit)
  await agree(ours, theirs, third)
})

await scenario('a changed message is refused by both sides', async () => {
  const { ours, theirs } = await foundedByUs()
  const flip = (message) => message.slice(0, -2) + (message.endsWith('00') ? '01' : '00')
  const { message } = await ours.do('seal', { text: 'x' })
  await assert.rejects(theirs.process(flip(message)))
  await assert.rejects(ours.do('open', { message: flip(await theirs.seal('x')) }), /mls_undecryptable/)
  const { commit } = await theirs.commit()
  await assert.rejects(ours.do('process', { message: flip(commit) }), /mls_membership_tag/)
})

console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

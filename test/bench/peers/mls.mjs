/** ts-mls (RFC 9420) behind the interface of `membership-peer.ts`: one commit of a group, made and processed. */
import {
  acceptAll,
  createCommit,
  createGroup,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  processPrivateMessage,
} from 'ts-mls'

const suites = {
  X25519: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
  'X-Wing': 'MLS_256_XWING_AES256GCM_SHA512_Ed25519',
}

const process = async (state, commit, impl) =>
  (await processPrivateMessage(state, commit.privateMessage, emptyPskIndex, impl, acceptAll)).newState

/** A group of `n` whose first member added the others in one commit, and the states of those who ask for it. */
async function found(impl, n) {
  const people = []
  for (let i = 0; i < n; i++) {
    const identity = new TextEncoder().encode(`member ${i}`)
    const credential = { credentialType: 'basic', identity }
    people.push(await generateKeyPackage(credential, defaultCapabilities(), defaultLifetime, [], impl))
  }
  const [first, ...others] = people
  const alone = await createGroup(
    new TextEncoder().encode('bench'),
    first.publicPackage,
    first.privatePackage,
    [],
    impl,
  )
  const add = (person) => ({ proposalType: 'add', add: { keyPackage: person.publicPackage } })
  const { newState, welcome } = await createCommit(
    { state: alone, cipherSuite: impl },
    { extraProposals: others.map(add), ratchetTreeExtension: true },
  )
  const join = (i) =>
    joinGroup(welcome, people[i].publicPackage, people[i].privatePackage, emptyPskIndex, impl)
  return { state: newState, join }
}

/**
 * A group of `n`, as its first member and its second see it. Warm: every second member has committed once, so that no
 * node of the tree is blank, which is the best an MLS group comes to.
 */
export async function makeGroup(suite, n, warm) {
  const impl = await getCiphersuiteImpl(getCiphersuiteFromName(suites[suite]))
  const { state, join } = await found(impl, n)
  let [committer, receiver] = [state, await join(1)]
  for (let i = 2; warm && i < n; i += 2) {
    let member = await join(i)
    for (const commit of committer.bench ?? []) member = await process(member, commit, impl)
    const { commit } = await createCommit({ state: member, cipherSuite: impl })
    const bench = [...(committer.bench ?? []), commit]
    committer = { ...(await process(committer, commit, impl)), bench }
    receiver = await process(receiver, commit, impl)
  }
  const commit = async (extraProposals) => {
    const made = await createCommit({ state: committer, cipherSuite: impl }, { extraProposals })
    return { commit: made.commit, bytes: encodeMlsMessage(made.commit).length }
  }
  const remove = () => commit([{ proposalType: 'remove', remove: { removed: n - 1 } }])
  const { commit: removal } = await remove()
  const [decoded] = decodeMlsMessage(encodeMlsMessage(removal), 0)
  return {
    remove: async () => (await remove()).bytes,
    update: async () => (await commit([])).bytes,
    receive: async () => void (await process(receiver, decoded, impl)),
  }
}

/**
 * The import law: which room may know which. One table per storey; each row becomes one rule that
 * forbids everything the row does not name.
 */

/** Pure rooms, ports, device and memory: packages/core/src. `errors.ts` and `limits.ts` are open to all. */
const rooms = {
  wire: { rooms: [], npm: ['@scure/base'] },
  crypto: { rooms: ['wire'], npm: ['@noble/[^/]+', '@scure/[^/]+'] },
  identity: { rooms: ['wire', 'crypto'] },
  discovery: { rooms: ['wire', 'crypto'] },
  session: { rooms: ['wire', 'crypto', 'identity'] },
  group: { rooms: ['wire', 'crypto', 'identity', 'session'] },
  history: { rooms: ['wire', 'crypto', 'identity', 'group'], npm: ['@automerge/automerge'] },
  mailbox: { rooms: ['wire', 'crypto', 'ports'] },
  attachment: { rooms: ['wire', 'crypto'] },
  backup: { rooms: ['wire', 'crypto', 'identity'] },
  ports: { rooms: ['wire'] },
  device: {
    rooms: [
      'wire',
      'crypto',
      'identity',
      'discovery',
      'session',
      'group',
      'history',
      'mailbox',
      'attachment',
      'backup',
      'ports',
    ],
  },
  memory: { rooms: ['ports', 'wire', 'crypto', 'discovery', 'mailbox'] },
}

const boundRooms = ['ports', 'wire', 'crypto', 'discovery', 'mailbox']
const libp2p = [
  'libp2p',
  '@libp2p/[^/]+',
  '@chainsafe/libp2p-noise',
  '@multiformats/multiaddr',
  'datastore-core',
  'uint8arraylist',
]

/** Bindings: packages/core/bindings. `node` says which Node built-ins a binding may use. */
const bindings = {
  libp2p: { rooms: boundRooms, npm: libp2p },
  // `open-level.ts` loads the last three on demand, in Node only.
  level: { rooms: boundRooms, npm: ['abstract-level', 'classic-level'], node: ['fs', 'zlib'] },
  idb: { rooms: boundRooms, bindings: ['level'], npm: ['abstract-level', 'events'] },
  'message-port': { rooms: boundRooms },
  'crypto-wasm': { rooms: ['crypto'], npm: ['libsodium-wrappers-sumo'] },
  'crypto-node': {
    rooms: ['crypto'],
    bindings: ['crypto-wasm'],
    npm: ['libsodium-wrappers-sumo'],
    node: ['crypto'],
  },
  'host-node': { rooms: ['ports', 'wire', 'crypto'], npm: ['esbuild', 'pino', 'tsx', 'ws'], node: ['.+'] },
}

const doors = ['ports', 'memory', 'mailbox', 'discovery', 'wire', 'crypto']
const src = 'packages/core/src'
const bound = 'packages/core/bindings'
const any = (names) => `(${names.join('|')})`
const npmPath = (names) => `node_modules/${any(names)}/`

/** Everything a row permits, as one list of path patterns. */
function permitted(home, { rooms: open = [], bindings: sisters = [], npm = [], node = [] }) {
  return [
    `^${home}/`,
    `^${src}/(errors|limits)[.]ts$`,
    ...(open.length > 0 ? [`^${src}/${any(open)}/`] : []),
    ...(sisters.length > 0 ? [`^${bound}/${any(sisters)}/`] : []),
    ...(npm.length > 0 ? [npmPath(npm)] : []),
    ...(node.length > 0 ? [`^(node:)?${any(node)}$`] : []),
  ]
}

const row = (storey, name, permits) => ({
  name: `${storey === src ? 'room' : 'binding'}-${name}`,
  comment: `${name} imports only what its row of the import table names.`,
  severity: 'error',
  from: { path: `^${storey}/${name}/` },
  to: { pathNot: permitted(`${storey}/${name}`, permits) },
})

const outsideCore = '^(packages/(node|web)|relay)/'
const readers = ['session', 'group', 'history', 'identity', 'backup', 'device']

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle is two rooms that are one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that resolves to nothing escapes every other rule.',
      severity: 'error',
      from: {},
      // Asset queries such as `./worker.ts?worker&url` belong to the bundler.
      to: { couldNotResolve: true, pathNot: '[?]|^virtual:' },
    },
    {
      name: 'no-unlisted',
      comment: 'A package is named in the package.json of the workspace that imports it.',
      severity: 'error',
      from: { pathNot: '[.]config[.](ts|mjs)$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    ...Object.entries(rooms).map(([name, permits]) => row(src, name, permits)),
    ...Object.entries(bindings).map(([name, permits]) => row(bound, name, permits)),
    {
      name: 'room-errors-limits',
      comment: 'errors and limits import nothing.',
      severity: 'error',
      from: { path: `^${src}/(errors|limits)[.]ts$` },
      to: {},
    },
    {
      name: 'room-unknown',
      comment: 'A new room needs a row in the import table before it may import anything.',
      severity: 'error',
      from: {
        path: `^${src}/[^/]+/`,
        pathNot: `^${src}/${any(Object.keys(rooms))}/`,
      },
      to: {},
    },
    {
      name: 'binding-unknown',
      comment: 'A new binding needs a row in the import table before it may import anything.',
      severity: 'error',
      from: {
        path: `^${bound}/[^/]+/`,
        pathNot: `^${bound}/${any(Object.keys(bindings))}/`,
      },
      to: {},
    },
    {
      name: 'door-only-rooms',
      comment: 'The main door shows rooms, never bindings, memory or a package.',
      severity: 'error',
      from: { path: `^${src}/index[.]ts$` },
      to: { pathNot: [`^${src}/(errors|limits)[.]ts$`, `^${src}/(?!memory/)[^/]+/`] },
    },
    {
      name: 'core-never-outward',
      comment: 'Core does not know who uses it.',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: { path: '^(packages/(node|web)|relay|simulations|test|scripts)/' },
    },
    {
      name: 'doors-only',
      comment: 'Adapters enter core through a door of its exports map, never through a wall.',
      severity: 'error',
      from: { path: outsideCore },
      to: {
        path: '^packages/core/',
        pathNot: [
          `^${src}/index[.]ts$`,
          `^${src}/${any(doors)}/index[.]ts$`,
          `^${bound}/[^/]+/index[.]ts$`,
          `^${bound}/host-node/(polyfill|launch)[.]mjs$`,
        ],
      },
    },
    {
      name: 'adapters-apart',
      comment: 'node, web and relay never import each other.',
      severity: 'error',
      from: { path: '^(packages/node|packages/web|relay)/' },
      to: { path: '^(packages/(node|web)|relay)/', pathNot: '^$1/' },
    },
    {
      name: 'nothing-imports-simulations-or-test',
      comment: 'Simulations and tests may look at anything; nothing looks at them.',
      severity: 'error',
      from: { pathNot: '^(simulations|test)/' },
      to: { path: '^(simulations|test)/' },
    },
    {
      name: 'libp2p-places',
      comment: 'libp2p is known to its binding and to those who build a node; core/src never sees it.',
      severity: 'error',
      from: { path: '^packages/core/', pathNot: `^${bound}/libp2p/` },
      to: { path: npmPath(libp2p) },
    },
    {
      name: 'relay-doors',
      comment: 'The relay uses five doors and the bindings.',
      severity: 'error',
      from: { path: '^relay/' },
      to: {
        path: `^${src}/`,
        pathNot: `^${src}/(wire|crypto|discovery|mailbox|ports)/index[.]ts$`,
      },
    },
    {
      name: 'relay-cannot-read',
      comment: 'By no path does the relay reach a room that could open a message or name a person.',
      severity: 'error',
      from: { path: '^relay/' },
      to: { path: `^${src}/${any(readers)}/`, reachable: true },
    },
    {
      name: 'automerge-place',
      comment: 'One file knows Automerge, so that what reaches it can be read off one page.',
      severity: 'error',
      from: { path: '^(packages|relay|simulations)/', pathNot: `^${src}/history/automerge[.]ts$` },
      to: { path: npmPath(['@automerge/[^/]+']) },
    },
    {
      name: 'primitives-places',
      comment: 'Cryptography libraries are known to the crypto room and its bindings alone.',
      severity: 'error',
      from: { path: '^(packages|relay)/', pathNot: [`^${src}/crypto/`, `^${bound}/crypto-(node|wasm)/`] },
      to: { path: npmPath(['@noble/[^/]+', '@scure/bip39', 'libsodium-wrappers-sumo']) },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['sotto-source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json', '.d.ts', '.d.mts'],
      mainFields: ['module', 'main', 'types'],
    },
    skipAnalysisNotInRules: true,
  },
}

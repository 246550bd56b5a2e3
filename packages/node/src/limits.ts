/** Every bound of the desktop node's own doors, each with its reason; the protocol's are in core. */
export const nodeLimits = {
  /** One request on the local socket: the longest text, every character escaped, and room around it. */
  requestBytes: 256 * 1024,
  /** JSON nesting of a request; ours need four, and a hostile one must not reach the call stack. */
  requestDepth: 16,
  /** Requests one connection may have running. */
  parallelRequests: 64,
  /** Connections to the local socket, and pages connected to the local web face. */
  connections: 64,
  /** Bytes waiting for a reader of events that does not read; past this it is cut off and may replay. */
  unreadBytes: 8 * 1024 * 1024,
  /** Header bytes of one HTTP request to the local web face. */
  httpHeaderBytes: 16 * 1024,
  /** A request to the local web face that is not complete by then is closed. */
  httpRequestMs: 10_000,
  /** Path of a unix socket: 104 bytes on macOS and 108 on Linux, with the closing zero. */
  socketPathBytes: 103,
  /** Text read from standard input before it is refused unread. */
  stdinBytes: 1024 * 1024,
  /** Waiting for a relay's description of itself while a link is being opened. */
  wellKnownMs: 3_000,
  /** A relay's description of itself. */
  wellKnownBytes: 16 * 1024,
  /** Addresses taken from it. */
  wellKnownAddresses: 8,
  /** Argon2id memory a key file may ask for: too little is guessed, too much stops the machine. */
  passwordMemoryMinKiB: 32 * 1024,
  passwordMemoryMaxKiB: 1024 * 1024,
  /** Argon2id passes a key file may ask for. */
  passwordPassesMin: 2,
  passwordPassesMax: 16,
  /** A key file, a format file, a list of ports: anything longer was not written by this program. */
  homeFileBytes: 4 * 1024,
  /** A log file; past this a new one is begun. */
  logBytes: 1024 * 1024,
  /** A passphrase file. */
  passphraseBytes: 1024,
  /** A command that finds the home in use tries this long to reach its daemon, which may be starting. */
  reachDaemonMs: 3_000,
  /** A command that puts a device out looks this long, and this often, whether all who are online have heard. */
  removalToldMs: 3_000,
  removalLookMs: 100,
} as const

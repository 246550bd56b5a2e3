/**
 * Every bound of the protocol in one table, each with its reason. Sizes are bytes unless the name says
 * otherwise, times end in `Ms`. Each is tested at the limit and one past it.
 */
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export const limits = {
  /** Arrays nested in an item of a newer version, which is passed over unread; a hostile one must not reach the call stack. */
  cborDepth: 8,
  /** One frame on a stream or in a mailbox; larger bodies travel as attachments. */
  frameBytes: 64 * 1024,
  /** Smallest padded payload, so that a receipt and a short text look alike. */
  paddedMinBytes: 512,
  /** Largest padded payload: `frameBytes` less what surrounds it (header with KEM key, signature, tags). */
  paddedMaxBytes: 60 * 1024,
  /** UTF-8 bytes of one text; leaves room for headers, padding and the cipher in `frameBytes`. */
  textBytes: 32 * 1024,
  /** UTF-8 bytes of one reaction. The longest emoji recommended for interchange, a kiss in two skin tones, has 35. */
  emojiBytes: 48,
  /** Longest life a conversation can give its messages; longer is as good as for ever. */
  timerMs: 365 * day,
  /** What an edit replaced may still be looked up for this long after the edit came. */
  editedBodyMs: day,
  /** UTF-8 bytes of a person's or device's name. */
  nameBytes: 128,
  /** Items in one payload; bounds the work one authenticated frame can cause. */
  payloadItems: 64,
  /** Records in one payload item; a batch fills `frameBytes` long before this with ordinary texts. */
  payloadRecords: 128,

  /** Message keys a single header may skip in one chain (Double Ratchet MAX_SKIP); bounds CPU per frame. */
  skipPerChain: 1_000,
  /** Skipped message keys stored in a session; the oldest go first. */
  skippedKeys: 2_000,
  /** Skipped keys die after this long: mailbox life plus two days. */
  skippedKeyMs: 16 * day,
  /** Receiving chains whose header keys are tried. */
  receiveChains: 5,
  /** Earlier sessions kept for frames still on their way. */
  archivedSessions: 4,
  /** Messages after which a fresh KEM key is offered. */
  pqStepMessages: 50,
  /** Messages of one chain after which an unanswered KEM key is sent again; it also starts every chain. */
  pqRepeatMessages: 100,
  /** Time after which a fresh KEM key is offered. */
  pqStepMs: 7 * day,
  /** Life of an unanswered KEM key. */
  pqOfferMs: 30 * day,
  /** A session nobody answered does not send after this long. */
  unansweredSessionMs: 14 * day,
  /** From one own handshake with a device to the next; four times as long after each more of `rehandshakeMs`. */
  repairMs: minute,
  /** The longest such pause, and over what time own handshakes are counted for it: at most four an hour. */
  rehandshakeMs: hour,
  /** Header trial decryptions a second and source. */
  trialDecryptsPerSecond: 1_000,
  /** Remembered `(E, bundleTag)` pairs of first flights, against replay. */
  replayCacheEntries: 10_000,

  /** Signed and KEM prekeys rotate this often while online. */
  prekeyRotateMs: day,
  /** Private halves are kept for mailbox life plus two days; a first flight to an older prekey is refused. */
  prekeyKeepMs: 16 * day,
  /** Generations of own prekeys held: one a day for `prekeyKeepMs`, and as many again after suspected thefts. */
  prekeyGenerations: 32,
  /** Own bundles whose exact bytes are held: each change of address makes one. */
  prekeyBundles: 64,
  /** One key bundle: prekeys, a certificate, and the longest addresses, within a DHT value. */
  bundleBytes: 6 * 1024,
  /** Life of a device certificate from its timestamp. */
  certificateMs: 45 * day,
  /** Renewal interval of a certificate. */
  certificateRenewMs: 7 * day,
  /** From how long before its end on a certificate that nobody renewed is warned of. */
  expiryWarningMs: 15 * day,
  /** Clock error tolerated wherever a clock is compared with a peer's. */
  clockSkewMs: 48 * hour,
  /** Devices one device may add. */
  addsPerAdder: 8,
  /** Active devices of an account. */
  activeDevices: 16,
  /** Operations of one device log: 19 years of 16 devices renewed each week. Beyond it only the recovery key and active devices add. */
  deviceLogOps: 16_384,
  /** Operations by one device, and by one recovery key, in one log. */
  deviceLogOpsPerAuthor: 4_096,
  /** Heads one operation or one payload names; honest logs have as many as devices wrote at once. */
  deviceLogHeads: 32,
  /** One operation: a certificate, its heads and a signature. */
  deviceLogOpBytes: 2 * 1024,
  /** Revokes by one device; an account has 16 devices and few reasons. */
  revokesPerDevice: 64,
  /** Bytes of device log a stranger may send in a first flight. */
  strangerLogBytes: 32 * 1024,

  /** A DHT value, an invite record. */
  recordBytes: 12 * 1024,
  /** Longest life of a DHT value. */
  dhtValueMs: 48 * hour,
  /** Life a writer gives a DHT value: nodes whose clocks are up to half a day behind still take it. */
  dhtLifeMs: 36 * hour,
  /** Plaintexts of DHT values are padded to multiples of this, so that size names nobody. */
  recordPadBytes: 2 * 1024,
  /** Own DHT values are put again this often; nodes forget after 48 h. */
  dhtRepublishMs: 12 * hour,
  /** From a new connection or address to the records that need it. */
  publishDelayMs: second,
  /** Peers of the local network that are remembered. */
  nearbyPeers: 256,
  /** Keys whose high-water mark a DHT validator remembers. */
  dhtMarks: 10_000,
  /** Values of others a node holds in memory for the DHT, 48 MiB at most; the one put longest ago goes first. */
  dhtRecords: 4_096,
  /** Addresses in a bundle. */
  bundleAddresses: 8,
  /** Relays in a bundle. */
  bundleRelays: 3,

  /** One membership operation: its heads, and what it names of an account's devices. */
  groupOpBytes: 12 * 1024,
  /** Accounts whose device logs are kept: contacts, and members of groups. */
  knownAccounts: 4_096,
  /** Other devices from which on a group's records are also published on a topic. */
  topicDevices: 4,
  /** How long a record on a topic is left to it before a device gets a copy by its session. */
  topicAckMs: 20 * second,
  /** Acknowledgements of what came on a topic wait this long for others. */
  topicGotMs: 5 * second,
  /** Between looks at topics, whose names change with the day. */
  topicTendMs: 10 * minute,
  /** A store that took nothing is tried again after this long; it doubles. */
  storePauseMs: second,
  storePauseMaxMs: minute,
  /** A relay that is busy is left alone at least this long, whatever it says. */
  relayBusyMinMs: second,
  /** What is left at a relay and not confirmed yet, at once: a channel that breaks takes no more with it. */
  putsAtOnce: 16,
  /** A frame that a relay confirmed is made anew when its device was heard of this much later and does not have it. */
  passedOverMs: 2 * minute,
  /** One it confirmed and nobody acknowledged is left there again after this long, with twice the pause each time. */
  leaveAgainMs: 5 * minute,
  leaveAgainMaxMs: day,
  /** After this long a seed that was not acknowledged is sent again. */
  seedAgainMs: minute,
  /** Of these, accounts introduced by others that are in no group of ours, or not yet. */
  looseAccounts: 512,
  /** Conversations of which whoever brought this device may say how far its siblings had written. */
  broughtConversations: 4_096,
  /** Groups known in part, of which more is asked; the oldest makes room. */
  arrivingGroups: 16,
  /** Lines of the audit log kept. */
  auditLines: 4_096,
  /** Devices a conversation remembers: those of 256 members' devices, and of who came and went. */
  conversationDevices: 1_024,
  /** Accounts whose device logs one exchange about a conversation names. */
  conversationAccounts: 256,
  /** With so many states of a conversation kept, those that nobody speaks against go, but for the newest quarter as many. */
  keptStates: 16,
  /** Heads of operations one payload names. */
  payloadGroupHeads: 64,
  /** Operations of one device log in one payload. */
  payloadLogOps: 256,
  /** Answers that wait for the next payload to a device, and their bytes. */
  payloadAnswers: 16,
  payloadAnswerBytes: 24 * 1024,
  /** Bytes of operations and of introductions in one payload. */
  payloadGroupBytes: 40 * 1024,
  /** Operations one membership operation names as known; honest conversations have as many heads as devices wrote at once. */
  groupOpDeps: 32,
  /** Membership operations of one device in one conversation: more than 20 a day for two years. */
  groupOpsPerDevice: 16_384,
  /** Membership operations of one device dated on one day (UTC). */
  groupOpsPerDay: 2_000,
  /** Grants one above the other; bounds recursion. Delegation in use is a few deep. */
  delegationDepth: 64,
  /** Branches of one device's membership operations taken unasked; more only when others build on them. */
  groupForkBranches: 16,
  /** Membership operations waiting for others, a conversation; and by one author of these. */
  groupParkedOps: 1_000,
  groupParkedPerAuthor: 128,
  /** Devices one revoke or deviceset names: four times those active. */
  frontierDevices: 64,
  /** Bytes of one edit of a shared document. */
  metaIntentBytes: 4 * 1024,
  /** Days of history a newcomer may be shown, where not all. */
  historyDays: 3_650,
  /** Devices of one epoch: each costs a chain, and a seed over its session. */
  epochDevices: 256,
  /** Parents an epoch names: the tips its author knows, the preferred ones first. */
  epochParents: 32,
  /** Membership heads an epoch names. */
  epochHeads: 32,
  /** One epoch record: ids of parents and heads, and exclusions with their evidence. */
  epochRecordBytes: 32 * 1024,
  /** Epochs of one device and hour that are honoured; more wait, so that nobody can make others key without end. */
  epochsPerAuthorHour: 30,
  /** Epochs a device begins on its own in an hour; the rest of `epochsPerAuthorHour` is left for sending. */
  ownEpochsPerHour: 24,
  /** Of these, for want of a seed. */
  unseededEpochsPerHour: 6,
  /** Epochs of a conversation whose keys are held; the longest superseded goes first. */
  keyedEpochs: 64,
  /** Epoch records of a conversation that are held. */
  knownEpochs: 4_096,
  /** Seeds of a conversation that wait for their record, and those of one sender among them. */
  pendingSeeds: 64,
  pendingSeedsPerSender: 8,
  /** An epoch this old is replaced before the next message. */
  epochRenewMs: day,
  /** Messages of one epoch before the next is begun. */
  epochMessages: 200,
  /** Up to this many devices each turn of the conversation begins an epoch, so often at most; 0 switches it off. */
  turnDevices: 8,
  turnMs: 150 * second,
  /** A device that has not acknowledged a seed for this long is lagging. */
  seedAckMs: 10 * minute,
  /** A device that waited this long for a seed, online, begins an epoch itself. */
  unseededMs: minute,
  /** Pause between a device's own epochs, and step of the order in which idle devices begin one. */
  epochSpacingMs: 2 * second,
  /** A superseded epoch's keys are erased after this long, and any epoch's after `epochKeyMs`. */
  epochSupersededMs: 7 * day,
  epochKeyMs: 16 * day,
  /** Records of retired epochs are kept this long; those of turns, of which there are many, twice the clock error. */
  epochRecordMs: 16 * day,
  turnRecordMs: 4 * day,
  /** Generations one envelope may skip in a chain; an epoch has `epochMessages` of all devices together. */
  generationsAhead: 256,
  /** Skipped keys kept of a chain and of a conversation, and for how long. */
  skippedGenerations: 256,
  skippedGenerationsTotal: 2_000,
  skippedGenerationMs: 7 * day,

  /** Records linked by one record (refs and xrefs together). */
  recordLinks: 8,
  /** Records of one device in one segment. */
  segmentRecords: 500,
  /** Records of one device with one number in a segment that are taken unasked; more only when others build on them. */
  recordForkBranches: 16,
  /** Records of one account about one message that are looked at; its later ones change nothing that is seen. */
  recordsAbout: 64,
  /** Records of one device held beyond a gap; more are taken once the gap is filled. */
  receivedAbove: 16_384,
  /** Bytes of one sealed segment: 500 records need 30 kB, 256 devices that wrote apart 8 MB; forks make it larger still. */
  segmentFileBytes: 16 * 1024 * 1024,
  /** Last records of devices and branches in one sealed segment. */
  segmentTips: 16_384,
  /** A segment with a successor that got nothing for this long is sealed. */
  segmentRestMs: day,
  /** Messages of newer segments that must be rows before one is sealed: what is shown first needs no file. */
  journalMessages: 128,
  /** Records of a segment that is sealed: eight times what honest ones hold. Beyond, it stays in its rows. */
  sealedRecords: 4_096,
  /** Between looks for segments to seal, and between the steps of sealing one. */
  foldLookMs: 10 * minute,
  foldPauseMs: 25,
  /** Sealed segments held open, and how long without being read. */
  openedFiles: 8,
  openedFileMs: 10 * minute,
  /** UTF-16 units of a conversation's shared note. */
  noteChars: 16 * 1024,
  /** Pinned records of a conversation. */
  pins: 64,
  /** Bytes of a conversation's picture; an intent carries it. */
  pictureBytes: 3_584,
  /** Read marks one intent moves. */
  readMarks: 32,
  /** UTF-8 bytes of what a person has begun to write, as own devices share it. */
  draftBytes: 3_584,
  /** Own devices are told of drafts and read marks this long after a change, all at once. */
  ownPauseMs: minute,
  /** Operations of one device among own devices that may be drafts and read marks: three quarters of all it has. */
  ownOps: 12_288,
  /** Entries of one table of a natural document: contacts, drafts, settings, read marks. */
  naturalEntries: 10_000,
  /** Segments one sync frame names: half a million records of history; more are compared in the next round. */
  syncSegments: 1_024,
  /** Devices one sync frame names in a segment; a group has 256, and some come and go. */
  syncDevices: 1_024,
  /** Records one frame of runs carries; at 40 bytes each they fill `frameBytes`. */
  syncRunRecords: 1_600,
  /** One frame of sync: it travels in a payload, with what else that says. */
  syncFrameBytes: 48 * 1024,
  /** Frames of runs, and of bodies, sent for one question; whoever lacks more asks again. */
  syncAnswerFrames: 16,
  /** Frames one answer may say that it has: a hundred records whose bodies fill a frame each are not parted. */
  syncAnswerFramesMax: 128,
  /** Own devices compare this long after a record came that one of them may not be sent, for all that come by then. */
  lateSyncMs: 5 * second,
  /** Between two such comparisons: authors may claim for ever not to know of a device. */
  lateSyncPauseMs: minute,
  /** A question of sync left at relays is left again after this long without an answer; the pause doubles. */
  syncMailMs: 2 * minute,
  /** Payloads that hold nothing to be acknowledged and wait for a device's relays; what is beyond is asked for again. */
  syncMails: 16,
  /** Devices that what its author does not tell them is passed on to; each passes it on to as many. */
  passedOnTo: 3,
  /** Records one list of gaps asks for. */
  syncGaps: 16_384,
  /** Bodies one frame asks for or carries, and that are noted as lacking in a segment. */
  syncBodies: 1_024,
  /** Segments in which bodies are noted as lacking: 8 MiB of ids at most. */
  lackingSegments: 256,
  /** Own records remembered as withdrawn (docs/decisions/0261); one beyond these that comes back stays as it is. */
  withdrawnRecords: 256,
  /** Shortest life a conversation's rule gives messages: a shorter one would take them before they are read. */
  retentionLeastMs: hour,
  /** Pause between two looks at a segment for messages that are to be forgotten; they are shown no more at once. */
  retentionLookMs: hour,
  /** Messages forgotten in one step, so that inputs never wait for it. */
  retentionBatch: 100,
  /** Pause before somebody else is asked for what is wanted; it doubles. */
  wantAgainMs: 30_000,
  /** Pause before all are asked once more who had none of it; it doubles. */
  wantRoundMs: 5 * minute,
  wantRoundMaxMs: day,
  /** Records and frames waiting for something they need, a conversation. */
  heldRecords: 1_000,
  /** Waiting longer than this is given up and reported. */
  heldMs: 16 * day,
  /** Memory one Argon2id call may ask for, KiB: 1 GiB is the most a 32-bit wasm heap gives reliably. */
  passwordMaxKiB: 1024 * 1024,
  /** Passes one Argon2id call may ask for; at 1 GiB more than these would hang a device for minutes. */
  passwordMaxPasses: 64,

  /** Open contact requests; more are ignored until some are answered. */
  openRequests: 100,
  /** Frames on one channel of somebody who is no contact; each may cost a key agreement. */
  strangeFrames: 32,
  /** Messages kept of a stranger whose request is open. */
  requestRecords: 100,
  /** Open invites of one account. */
  openInvites: 100,
  /** Messages waiting for one contact; sending more fails with a clear error. */
  outboxPerContact: 10_000,

  /** Life of an item in a relay's queue. */
  mailboxTtlMs: 14 * day,
  /** Items in one inbox queue. */
  queueItems: 1_000,
  /** Bytes in one inbox queue. */
  queueBytes: 4 * 1024 * 1024,
  /** Items in one intro queue. */
  introItems: 32,
  /** Frames with messages left for somebody who has not answered yet: a quarter of their intro queue. */
  unansweredFrames: 8,
  /** Pause after the first of them; it doubles with each. Eight frames take two minutes and hold 160 KiB. */
  unansweredPauseMs: second,
  /** Relays at which the log of one epoch lies. */
  logPlaces: 2,
  /** Keys that may deposit in one log: the devices of an epoch. */
  logWriters: 256,
  /** Items in one page of a fetch. */
  fetchPage: 100,
  /** UTF-8 bytes of the host under which a relay serves the web app: a DNS name, at most 253, or a shorter one with a port. */
  webHostBytes: 256,
  /** Requests of one channel a relay has accepted and not answered; more are told to come back. */
  relayPendingRequests: 256,
  /** Requests one durable commit covers (group commit). */
  relayBatch: 128,
  /** Queues one channel watches; one inbox a contact and device. */
  relaySubscriptions: 4_096,
  /** Items of one queue pushed to a channel and not yet acknowledged by it. */
  pushWindowItems: 32,
  /** Bytes pushed to a channel and not yet acknowledged by it, all its queues together; half `channelQueueBytes`. */
  pushWindowBytes: 512 * 1024,
  /** Requests a second one peer may make of a relay for long, and how many at once before that counts. */
  relayRequestsPerSecond: 100,
  relayRequestBurst: 1_000,
  /** Bytes a second one peer may send a relay for long, and at once. */
  relayBytesPerSecond: 2 * 1024 * 1024,
  relayByteBurst: 16 * 1024 * 1024,
  /** Peers whose spent rate a relay remembers after they left. */
  relayPeers: 10_000,
  /** Frames that are no request before a relay closes the channel. */
  relayBadFrames: 8,
  /** Longest proof of work a relay may ask for; about 2^18 hashes, a second on a slow phone. */
  workBits: 18,
  /** Queues and invite records one relay keeps unless its operator says otherwise. */
  relayQueues: 100_000,
  relayRecords: 100_000,

  /** Genuine records of one author, and refused messages of one neighbour, that topics take in a second for long, and at once. */
  topicPerSecond: 20,
  topicBurst: 256,
  /** Authors, and neighbours, whose rate on topics is remembered. */
  topicRates: 4_096,
  /** A message on a topic that nobody judged for this long is dropped; gossipsub counts 3 s as a broken promise. */
  topicVerdictMs: 2 * second,
  /** Messages that wait for a verdict, of one neighbour and of all; more are dropped unseen. */
  topicWaitingPerPeer: 256,
  topicWaiting: 1_024,
  /** Rejected messages count half as much after this long. */
  topicFaultHalfMs: minute,
  /** Peers whose rejected messages are remembered, wherever they went. */
  topicFaults: 4_096,
  /** Topics one peer may listen on, in bytes of names and a kibibyte each: a thousand. */
  topicBytesPerPeer: 1024 * 1024,
  /** Peers expected on one topic: the devices of an epoch. */
  topicPeers: 256,
  /** Concurrent channels with one peer. */
  channelsPerPeer: 16,
  /** Channels with all peers together; bounds the memory half-sent frames can hold. */
  channelsTotal: 1_024,
  /** One frame on a stream: the largest frame plus the request around it. */
  streamFrameBytes: 65 * 1024,
  /** A frame that began arriving and is not complete by then closes its channel. */
  streamFrameMs: 30 * second,
  /** Bytes waiting to be written on one channel; more is refused until the peer reads. */
  channelQueueBytes: 1024 * 1024,
  /** One DHT query; what was found by then is the answer. */
  dhtQueryMs: 10 * second,
  /** Last pause between tries to reach an attached relay or bootstrap peer. */
  attachRetryMaxMs: minute,
  /** Given and locally seen addresses a node remembers as dialable. */
  permittedAddresses: 4_096,
  /** A dial that takes longer is given up and tried again. */
  dialMs: 6 * second,
  /** First and last pause between delivery attempts to one device. */
  retryMinMs: 2 * second,
  retryMaxMs: 15 * minute,
  /** Last pause between tries of a relay: it is meant to be there, and more than one message may wait for it. */
  relayRetryMaxMs: 4 * minute,
  /** A relay's channel that broke is opened again after this long, with twice the pause each time it lasted less than a minute. */
  relayAgainMs: second,
  relayAgainMaxMs: 15 * second,
  steadyMs: minute,
  /** Frames of a device that want no answer, remembered to know their copies by. */
  answersRemembered: 256,
  /** What came from relays about a conversation is answered when nothing more of it came for this long. */
  mailPauseMs: second,
  /** From where on words are for a device is said again after this long, with twice the pause each time, and so often. */
  fromAgainMs: 30 * second,
  fromTimes: 5,
  /** How long it may take until a channel that is half open breaks. */
  silentMs: minute,
  /** How often an answer goes into another channel because the one before broke so. */
  unsureTimes: 3,
  /** A frame sent directly and not acknowledged for this long is also left at a relay. */
  directAckMs: 5 * second,

  /** Life of an invite unless the person says otherwise, and the longest. */
  inviteMs: 7 * day,
  inviteMaxMs: 365 * day,
  /** Characters of an invite link: a long host, and two addresses. Without them it stays near 100. */
  inviteLinkChars: 1_100,
  /** Address hints in an invite link. */
  inviteAddresses: 2,
  /** UTF-8 bytes of one multiaddr; a relayed WebRTC address with two PeerIds needs about 200. */
  addressBytes: 256,
  /** Plaintext of an invite record: what padding, cipher and frames leave of a DHT value and of a relay's record. */
  inviteRecordBytes: 23 * 512 - 1,
  /** Records of one invite that a reader looks at; liars may have put up any number. */
  inviteCandidates: 16,
  /** Devices of other members that the record of an invite into a group names. */
  inviteWays: 4,
  /** Requests to be let into groups, answers to them and introductions that wait for one device's next frame. */
  joinsTold: 4,
  /** What another member's device is told of an account that wants into a group; it fits a frame beside records. */
  joinAccountBytes: 3 * 1024,
  /** Uses of one invite, at most. */
  inviteUses: 1_000,

  /** Life of a link or short code for a new device, and the pause each later step of linking may take. */
  linkMs: 5 * minute,
  /** Exchanges a short code takes part in: each is one guess at 25 bits, made before a person's eyes. */
  linkCodeAttempts: 3,
  /** Exchanges a link takes part in: its 16 bytes cannot be guessed, so this bounds work alone. */
  linkAttempts: 32,
  /** Address hints in a link, and characters of one. */
  linkAddresses: 2,
  linkChars: 1_100,
  /** Places where devices with the same three characters put themselves, so that they do not replace each other. */
  linkPlaces: 4,
  /** Devices an old device tries for one code. */
  linkCandidates: 8,
  /** Contacts an old device introduces a new one to; as many as a table of a natural document holds. */
  linkIntroductions: 10_000,
  /** Bytes a new device takes in before it has seen the log: its whole account, with room to spare. */
  linkBytes: 64 * 1024 * 1024,

  /** Events kept for `--since`. */
  eventLog: 10_000,
} as const

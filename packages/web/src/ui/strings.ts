import type { ConnectionState, DeliveryState } from '@sotto/core'
import { deviceStrings, linkStrings } from './strings-devices.ts'
import { emojiStrings } from './strings-emoji.ts'
import { errorStrings } from './strings-errors.ts'
import { groupStrings, noticeStrings } from './strings-group.ts'

/** Every word the app shows, in one place. Names and numbers come in as arguments and leave as plain text. */
export const strings = {
  app: 'Sotto',
  starting: 'Starting…',
  back: 'Back to the chats',
  close: 'Close',
  cancel: 'Cancel',
  tryAgain: 'Try again',
  copy: 'Copy link',
  copied: 'Copied',

  welcome: {
    title: 'Talk quietly',
    invitedTitle: 'Someone invites you',
    lead: 'Messages go from your device to theirs, sealed. No phone number, no e-mail, no account anywhere.',
    invitedLead: 'Choose the name they will see. The chat opens right after.',
    name: 'Your name',
    nameHint: 'People you talk to see it.',
    start: 'Start',
    join: 'Join the conversation',
    local: 'Your keys are made in this browser and stay in it.',
  },

  invite: {
    looking: 'Looking for the invitation…',
    lookingLead: 'Asking the places that may hold it. This can take a few seconds.',
    title: 'Someone invites you',
    lead: 'Accept, and the two of you can write to each other.',
    accept: 'Accept the invitation',
    later: 'Not now',
    invites: (name: string) => `${name} invites you`,
    failed: 'This invitation did not work',
  },

  chats: {
    title: 'Chats',
    empty: 'No chats yet',
    emptyLead: 'Give somebody your link, or open theirs.',
    add: 'Add a contact',
    noMessages: 'Say hello',
    pending: (name: string) => `Waiting for ${name}`,
    by: (name: string, text: string) => `${name}: ${text}`,
    unread: (count: number) => (count === 1 ? '1 unread message' : `${count} unread messages`),
    label: 'Conversations',
    unnamed: 'Someone',
    blocked: 'Blocked',
  },

  requests: {
    title: 'Requests',
    lead: 'wants to write to you',
    wantsInto: (group: string) => `wants into ${group}`,
    letIn: 'Let in',
    accept: 'Accept',
    ignore: 'Ignore',
    quiet: 'They learn nothing until you accept.',
  },

  conversation: {
    choose: 'Choose a chat',
    chooseLead: 'Or add a contact to begin one.',
    pending: (name: string) =>
      `Waiting for ${name} to answer your request. What you write now is kept and sent.`,
    pendingLine: 'Request sent',
    blocked: 'You blocked this contact. Nothing is sent or shown.',
    unblock: 'Unblock',
    empty: (name: string) => `This is the beginning of your conversation with ${name}.`,
    missing: (count: number) =>
      count === 1 ? '1 message not yet received' : `${count} messages not yet received`,
    gone: 'This message is not readable here. It is being asked for again.',
    lost: 'This message is not readable here, and nobody who was asked has it.',
    deleted: 'This message was deleted.',
    late: 'arrived late',
    edited: 'edited',
    earlier: 'Show earlier messages',
    log: (name: string) => `Messages with ${name}`,
    arrived: (name: string, text: string) => `${name}: ${text}`,
    devices: (count: number) => (count === 1 ? '1 device' : `${count} devices`),
    emptyGroup: (name: string) => `This is the beginning of the group ${name}.`,
    emptyNotes: 'Only your own devices see what you write here.',
    outside: {
      'sent-while-removed': (name: string) => `Sent by ${name} while being removed`,
      'not-a-member': (name: string) => `Sent by ${name}, who was not in the group`,
      'device-out': (name: string) => `Sent from a removed device of ${name}`,
    },
    outsideLead: 'It counts for nothing: not everybody here can see it.',
  },

  message: {
    actions: 'Reply, react and more',
    reply: 'Reply',
    react: 'React',
    reactWith: (emoji: string) => `React with ${emoji}`,
    reactOwn: 'Another emoji',
    takeBack: (emoji: string) => `Take ${emoji} back`,
    reacted: (emoji: string, names: string) => `${emoji} from ${names}`,
    edit: 'Edit',
    delete: 'Delete',
    deleteAsk: 'Delete this message on every device that has it?',
    deleteDo: 'Delete for everyone',
    quoted: (name: string) => `Answer to ${name}. Go to that message.`,
    quoteGone: 'A message that is not here',
    replying: (name: string) => `Answer to ${name}`,
    editing: 'Change this message',
    cancelReply: 'Do not answer to it',
    cancelEdit: 'Leave it as it was',
    save: 'Save the change',
    names: (names: readonly string[]) => names.join(', '),
  },

  notes: {
    title: 'Notes to self',
    line: 'Only you, on all your devices',
    delivered: 'Reached all your devices',
  },

  composer: {
    label: 'Message',
    placeholder: 'Write a message',
    offline: 'Write a message: it is sent when you are online',
    send: 'Send',
    tooLong: (over: number) => `${over} bytes too long for one message`,
    left: (bytes: number) => `${bytes} bytes left`,
  },

  ladder: {
    waiting: 'Waiting on this device',
    relayed: 'Left at a relay, sealed',
    delivered: 'Reached all their devices',
    read: 'Read',
    failed: 'Could not be sent: the invitation was refused',
  } satisfies Record<DeliveryState, string>,

  add: {
    title: 'Add a contact',
    give: 'Give this to one person',
    giveLead: (until: string) => `It works once, until ${until}.`,
    heldRelay: 'A relay keeps it, sealed: it works while you are offline too.',
    heldDht: 'The network keeps it, sealed: it works while you are offline too.',
    heldNobody: 'Nobody keeps it yet: it works while this device is online.',
    qr: 'Invite link as a QR code',
    link: 'Invite link',
    another: 'Make another',
    revoke: 'Withdraw it',
    making: 'Making a link…',
    have: 'I was given a link',
    paste: 'Paste their link',
    open: 'Open',
    opening: 'Looking…',
  },

  scan: {
    start: 'Scan a QR code',
    stop: 'Stop the camera',
    lead: 'Hold the code in front of the camera.',
    picture: 'Picture of the camera',
    refused:
      'This page may not use the camera. Allow it in your browser, or type or paste what you were given.',
    missing: 'No camera was found. Type or paste what you were given.',
  },

  connection: {
    title: 'Connection',
    words: {
      offline: 'Offline: messages wait on this device',
      local: 'On this network only',
      limited: 'No relay reachable: messages reach only people who are online',
      relay: 'Connected',
      direct: 'Connected',
    } satisfies Record<ConnectionState, string>,
    short: {
      offline: 'Offline',
      local: 'This network only',
      limited: 'No relay',
      relay: 'Connected',
      direct: 'Connected',
    } satisfies Record<ConnectionState, string>,
    details: 'Connection details',
    peers: 'Open connections',
    outbox: 'Messages on their way',
    held: 'Waiting for something missing',
    relays: 'Relays',
    noRelays: 'No relay. Messages reach people who are online at the same time as you.',
    relayState: { connecting: 'connecting', connected: 'connected', unreachable: 'not reachable now' },
    tryNow: 'Try now',
    addRelay: 'Add a relay by its address',
    addRelayDo: 'Add',
    remove: 'Remove',
    where: 'Where your device is',
    role: {
      own: 'In this tab. It sends and receives while the tab is open.',
      follower: 'In another tab of this browser. This one looks through it.',
      node: 'In the Sotto node on this computer. It goes on when this page is closed.',
    },
    storage: 'Storage',
    kept: 'The browser promised to keep it.',
    notKept: 'The browser may delete it when space runs short or after long absence.',
    warnings: 'To know',
    you: 'Your device',
    host: 'In a browser, whoever serves this page could serve a changed one. The desktop program does not have that weakness.',
  },

  group: groupStrings,
  notices: noticeStrings,
  devices: deviceStrings,
  link: linkStrings,
  emoji: emojiStrings,

  tabs: {
    elsewhere: 'Sotto also runs in another tab. This one works through it.',
    useHere: 'Use here',
  },

  keys: {
    title: 'Keyboard',
    next: 'Next chat',
    previous: 'Previous chat',
    composer: 'Write a message',
    add: 'Add a contact',
    close: 'Close, or leave the chat',
    sheet: 'This list',
    send: 'Send',
    line: 'New line',
    group: 'New group',
    editLast: 'Change the last message, in an empty field',
    messages: 'From message to message',
    reply: 'Answer to the message',
    react: 'React to the message',
    remove: 'Delete the message',
  },

  trouble: {
    again: 'Reload',
    startOver: 'Begin anew',
    startOverSure: 'Really begin anew',
    code: (code: string) => `Code ${code}`,
    lost: {
      title: 'This browser deleted your device',
      lead: 'Browsers may clear what a site has stored. The keys and messages that were here are gone and cannot be brought back from this browser. Treat it like a lost phone.',
      what: 'People you talked to keep what they have. Beginning anew makes a new identity with a new link; nobody will take it for the old one.',
    },
    refused: {
      title: 'This browser lets Sotto keep nothing',
      lead: 'Your keys have to be stored somewhere. Private windows and strict settings often forbid it.',
      what: 'Open Sotto in a normal window, or allow this site to store data, then reload.',
    },
    unsupported: {
      title: 'This browser is too old',
      lead: 'Sotto needs a current browser and a secure address (https, or this computer itself).',
      what: 'Update the browser, or use the desktop program.',
    },
    lostNode: {
      title: 'Sotto has stopped on this computer',
      lead: 'This page only shows what the node on this computer does, and it does not answer.',
      what: 'Start it again, then reload.',
    },
    other: {
      title: 'Sotto could not start',
      lead: 'Your data was left as it is.',
      what: 'Reload the page. If it stays, the code below says what happened.',
    },
  },

  errors: errorStrings,
  otherError: (code: string) => `That did not work (${code}).`,
} as const

/** What to say for a failed command. */
export function errorWords(failure: unknown): string {
  const code =
    typeof failure === 'object' && failure !== null && 'code' in failure ? String(failure.code) : 'E_INTERNAL'
  return strings.errors[code] ?? strings.otherError(code)
}

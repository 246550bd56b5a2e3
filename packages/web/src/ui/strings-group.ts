import type { GroupRole } from '@sotto/core'

/** Words about groups: making one, who is in it, what its rules are. */
export const groupStrings = {
  create: {
    title: 'New group',
    name: 'Name of the group',
    nameHint: 'Everybody in the group sees it.',
    who: 'Who is in it',
    none: 'You have no contacts yet. Open the group now and add people later.',
    unverified: (count: number) =>
      count === 1
        ? 'You have not compared safety numbers with 1 of them.'
        : `You have not compared safety numbers with ${count} of them.`,
    make: 'Open the group',
    making: 'Opening…',
  },

  open: 'About this group',
  title: 'Group',
  name: 'Name',
  rename: 'Rename',
  unnamed: 'A group without a name',
  members: (count: number) => (count === 1 ? '1 member' : `${count} members`),
  you: 'You',
  role: { owner: 'Owner', admin: 'Admin', member: 'Member' } satisfies Record<GroupRole, string>,
  roleOf: (name: string) => `Role of ${name}`,
  devices: (count: number, expired: number) => {
    const all = count === 1 ? '1 device' : `${count} devices`
    return expired === 0 ? all : `${all}, ${expired} lapsed`
  },

  add: 'Add somebody',
  addName: (name: string) => `Add ${name}`,
  addDo: 'Add',
  addNone: 'All your contacts are in this group.',
  addHistory: (days: number | null) => {
    if (days === null) return 'Whoever comes in can read everything said here before.'
    if (days === 0) return 'Whoever comes in can read only what is said from then on.'
    return days === 1
      ? 'Whoever comes in can read the last day as well.'
      : `Whoever comes in can read the last ${days} days as well.`
  },

  link: {
    title: 'A link into the group',
    lead: 'Whoever opens it asks to be let in, also when you are offline. Owners and admins say yes or no.',
    closed: 'The last link ended, withdrawn or because somebody was removed. Make a fresh one.',
    uses: 'For how many people',
    people: (count: number) => (count === 1 ? 'One person' : `${count} people`),
    make: 'Make a link',
    works: (left: number, until: string) =>
      `It works for ${left === 1 ? 'one person' : `${left} people`}, until ${until}, or until somebody is removed.`,
  },

  join: {
    line: 'Waiting to be let in',
    waiting: (by: string) =>
      `Somebody of the group has to let you in. You came by ${by === '' ? 'a link' : `the link of ${by}`}; they know that you ask once they are reached.`,
    refused: {
      E_INVITE_USED: 'The link was used up. Ask for a new one.',
      E_INVITE_REVOKED: 'The link ended before anybody let you in. Ask for a new one.',
      E_INVITE_EXPIRED: 'The link expired before anybody let you in. Ask for a new one.',
    } as Readonly<Record<string, string>>,
    stop: 'Stop asking',
  },

  remove: 'Remove',
  removeName: (name: string) => `Remove ${name}`,
  removeAsk: (name: string) =>
    `Remove ${name}? From then on they can read nothing new. What they have stays with them.`,

  leave: 'Leave the group',
  leaveAsk: 'You keep what was said. To come back, somebody has to add you.',
  leaveDo: 'Leave',
  lastOwner: 'You are the only owner. Before you leave, give somebody else the role of owner.',
  left: 'You are no longer in this group. What was said until then stays here.',
  leftLine: 'You are no longer a member',

  rules: 'Rules',
  rulesRead: 'Owners and admins set these.',
  history: 'What newcomers can read',
  historyChoices: { '0': 'Nothing from before', '7': 'The last 7 days', '30': 'The last 30 days' },
  historyAll: 'Everything',
  retention: 'Forget messages after',
  timer: 'New messages disappear after',
  never: 'Never',
  ms: (ms: number) => {
    const hours = Math.max(1, Math.round(ms / 3_600_000))
    if (hours % 24 !== 0) return hours === 1 ? '1 hour' : `${hours} hours`
    const days = hours / 24
    return days === 1 ? '1 day' : `${days} days`
  },
  days: (days: number) => (days === 1 ? 'The last day' : `The last ${days} days`),
  adminsGrantAdmin: 'Admins may make admins',
  membersAdmit: 'Members let in whoever has a link',
  adminsRedact: 'Admins may delete what others wrote',
} as const

/** What a person did or what befell a device, as one line in a conversation. Names stand at the start. */
export const noticeStrings = {
  you: 'You',
  youObject: 'you',
  someone: (id: string) => (id === '' ? 'Somebody' : `Somebody (${id})`),
  device: (name: string, id: string) => (name === '' ? id : `${name} (${id})`),

  deviceAdded: (who: string, device: string) =>
    `${who} added a new device: ${device}. If that is news to you, ask ${who} in another way.`,
  ownDeviceAdded: (device: string) =>
    `You added a new device: ${device}. If that was not you, remove it at once.`,
  deviceRevoked: (who: string, device: string) => `${who} removed a device: ${device}.`,
  deviceExpired: (whose: string, device: string) =>
    `One of ${whose} devices lapsed: ${device}. It gets nothing new until it is renewed.`,
  deviceForked: (whose: string, device: string) =>
    `One of ${whose} devices contradicts itself: ${device}. A copy of it may be in use; it should be removed.`,
  deviceRolledBack: (whose: string, device: string) =>
    `One of ${whose} devices went back to an older state: ${device}. It may have been restored from a copy.`,
  ownRecovered: 'Your recovery words were used. If that was not you, remove the device that came with it.',
  recovered: (who: string) =>
    `The recovery words of ${who} were used. If that is news to you, ask in another way who did that.`,
  whose: (who: string) => `${who}’s`,
  your: 'your',

  opened: (who: string) => `${who} opened the group.`,
  added: (who: string, whom: string) => `${who} added ${whom}.`,
  joined: (who: string) => `${who} came into the group.`,
  removed: (who: string, whom: string) => `${who} removed ${whom}.`,
  gone: (who: string) => `${who} went out of the group.`,
  left: (who: string) => `${who} left the group.`,
  roleChanged: (who: string, whom: string, role: string) => `${who} made ${whom} ${role}.`,
  roleNow: (whom: string, role: string) => `The role of ${whom} changed: ${role} now.`,
  roleWords: { owner: 'an owner', admin: 'an admin', member: 'a member' } as Readonly<Record<string, string>>,
  membershipDamaged:
    'What says who is in here was damaged on this device. It is asked for again from the others; until then nothing is sent here.',
  membershipRepaired: 'What says who is in here is whole again.',
  membershipLost: 'A part of what was decided here is lost: nobody in the conversation has it any more.',
  policyChanged: (who: string, what: string) => `${who} changed a rule: ${what}.`,
  policyWords: {
    history: 'what newcomers can read',
    retention: 'how long messages are kept',
    timer: 'when new messages disappear',
    adminsGrantAdmin: 'whether admins may make admins',
    membersAdmit: 'whether members let in whoever has a link',
    adminsRedact: 'whether admins may delete what others wrote',
  } as Readonly<Record<string, string>>,
  policyOther: 'one this version does not know',

  back: (who: string, by: string, undoing: string) =>
    `${who} is back: the removal by ${by} was undone when ${undoing} removed ${by}.`,
  removeAgain: 'Remove again',
  letIn: 'Let in',
  removalUndone: (who: string, by: string) => `The removal of ${who} by ${by} was undone.`,
  removalIncomplete: (who: string) =>
    `${who} stayed, although somebody removed them: others had let them in too. An owner can remove them.`,
  ejected: (who: string) =>
    `${who} went out, because whoever let them in was removed. They can be added again.`,
  linkUsedTwice: (who: string) =>
    `${who} came by a link that was used twice at once, and is not in the group. An admin can let them in.`,
  policyOverruled: 'Two people changed the same rule at once. The one with more authority counts.',
  equivocation: 'A device told two members different things about this group. It may have been copied.',
  noOwner: 'This group has no owner any more. Admins keep what they may do.',
  contested: (who: string) =>
    `The recovery words of ${who} were used twice. Only they know which of the two is theirs: ask them in another way.`,
  accused: (who: string) =>
    `Two devices of ${who} removed each other. Ask them in another way which one is theirs.`,
  updateNeeded: 'Somebody did something here that this version does not know. Update Sotto to see it.',
  waiting: 'Something about this group is not known here yet and is being asked for.',
  other: (kind: string) => `Something changed in this conversation (${kind}).`,
} as const

/** What happened and what helps, by error code. */
export const errorStrings: Readonly<Record<string, string>> = {
  E_INVITE_EXPIRED: 'This link has expired. Ask for a new one.',
  E_INVITE_USED: 'This link was used already. Each works once; ask for a new one.',
  E_INVITE_REVOKED: 'This link was withdrawn, or ended with a removal. Ask for a new one.',
  E_INVITE_OWN: 'This is your own link. Give it to somebody else.',
  E_INVITE_MALFORMED: 'This is not a whole invite link. Copy it again, from start to end.',
  E_INVITE_UNREACHABLE:
    'Nobody who knows this link can be reached now. Try again when the other person is online.',
  E_BLOCKED: 'You blocked this contact.',
  E_OFFLINE: 'This device is offline. Try again when it is connected.',
  E_NAME: 'Please give a name of at most 128 bytes, without line breaks.',
  E_TEXT: 'This message cannot be sent: it is empty or too long.',
  E_TOO_LARGE: 'This message is too long.',
  E_ADDRESS: 'This is not a relay’s address. It begins with a slash and ends in /p2p/ and an id.',
  E_OUTBOX_FULL: 'Too much is waiting to be sent. Try again when more has left.',
  E_INVITES_FULL: 'Too many links are open. Withdraw some first.',
  E_STORE_FULL: 'There is no space left. Nothing was sent; what you have can still be read.',
  E_PORT_LOST: 'The tab that held your device did not answer. Try again.',
  E_CLOCK: 'This device’s clock seems to be wrong. Messages may be refused until it is set.',
  E_STORE_ROLLED_BACK: 'An older copy of this device was restored. Contacts start fresh sessions.',
  E_STORE_CORRUPT: 'Some stored data was damaged. What is missing is being asked for again.',

  E_DELETED: 'This message was deleted meanwhile.',
  E_EMOJI: 'A reaction is one emoji.',
  E_NOT_AUTHOR: 'Only whoever wrote this message can change it.',

  E_LAST_OWNER: 'You are the only owner. Make somebody else an owner before you leave.',
  E_NOT_ALLOWED: 'The rules of this group do not let you do that.',
  E_NOT_CONNECTED: 'This contact has not answered your request yet.',
  E_NOT_MEMBER: 'You are no longer in this group.',
  E_MEMBERSHIP_DAMAGED:
    'What says who is in a conversation was damaged here. It is asked for again from the others in it.',
  E_NOT_ADMITTED: 'Nobody has let you into this group yet.',
  E_POLICY: 'This rule cannot be set like that.',

  E_LINK_MALFORMED: 'This is neither a code nor a link of a new device. Compare it with the other screen.',
  E_LINK_CODE:
    'This code is wrong. Compare it with the other screen; after three wrong tries the new device needs a new one.',
  E_LINK_BURNED: 'This code was wrong too often and is void. Let the new device show a new one.',
  E_LINK_EXPIRED: 'This code has expired. Let the new device show a new one.',
  E_LINK_USED: 'This code was used already. Let the new device show a new one.',
  E_LINK_CANCELLED: 'Linking was cancelled. Nothing was shared.',
  E_LINK_MISMATCH:
    'The emoji were not the same, so nothing was shared. Somebody may have been in between: try again on a network you trust.',
  E_LINK_BUSY: 'The new device is being linked by somebody else. If that is not you, let it show a new code.',
  E_LINK_LOST:
    'The new device was not found, or the connection to it broke. Keep its code open, and see that both are online.',
  E_LINK_FAILED:
    'The other device did not do what was agreed, so nothing was shared. Update both and begin again.',
  E_LINK_STATE: 'Linking is over. Begin again with a new code.',
}

import type { CommandName, Commands } from './api.ts'
import {
  commandConfirmRecovery,
  commandCreateAccount,
  commandRecoveryWords,
  commandSetSetting,
} from './command-account.ts'
import {
  commandAddBootstrap,
  commandAddRelay,
  commandBlock,
  commandMarkRead,
  commandRemoveRelay,
  commandRename,
  commandUnblock,
} from './command-contact.ts'
import {
  commandPin,
  commandSetDraft,
  commandSetNote,
  commandSetPicture,
  commandSetTopic,
  commandUnpin,
  commandVerify,
} from './command-details.ts'
import {
  commandCreateGroup,
  commandGroupAdd,
  commandGroupLeave,
  commandGroupPolicy,
  commandGroupRemove,
  commandGroupRename,
  commandGroupRole,
} from './command-group.ts'
import { commandDelete, commandEdit, commandReact, commandSend } from './command-message.ts'
import { commandAcceptRequest, commandIgnoreRequest } from './command-request.ts'
import { commandRemoveDevice } from './command-devices.ts'
import { UsageError } from '../errors.ts'
import type { Step } from './context.ts'
import { commandLinkOffer, confirmNew } from './link-new.ts'
import { commandLinkApprove, confirmOld } from './link-old.ts'
import { commandAdd } from './resolve.ts'
import { commandCreateInvite, commandRevokeInvite } from './command-invite.ts'

/** Commands that take as long as the network or a person does. */
type SlowCommand = 'add' | 'link-offer' | 'link-approve' | 'link-confirm'
/** Commands that end with their own batch. */
export type StepCommand = Exclude<CommandName, SlowCommand>

type SlowHandler<C extends SlowCommand> = (
  step: Step,
  input: Commands[C]['in'],
  settle: (value: unknown) => void,
  fail: (error: unknown) => void,
) => void

/** Commands whose outcome comes with a later input, and what begins them. */
export const slowCommands: { readonly [C in SlowCommand]: SlowHandler<C> } = {
  add: commandAdd,
  'link-offer': commandLinkOffer,
  'link-approve': commandLinkApprove,
  'link-confirm': commandLinkConfirm,
}

export const isSlow = (name: CommandName): name is SlowCommand => Object.hasOwn(slowCommands, name)

/** Both ends: whether the pictures are the same. */
function commandLinkConfirm(
  step: Step,
  { match }: Commands['link-confirm']['in'],
  settle: (value: unknown) => void,
  fail: (error: unknown) => void,
): void {
  const { linking } = step.context.live
  if (linking === undefined) throw new UsageError('E_LINK_STATE', 'there is nothing to confirm')
  if (linking.at === 'new') confirmNew(step, linking, match, settle, fail)
  else confirmOld(step, linking, match, settle, fail)
}

type Handler<C extends CommandName> = (
  step: Step,
  input: Commands[C]['in'],
) => Commands[C]['out'] | Promise<Commands[C]['out']>

/** Every command and what carries it out. */
export const commands: { readonly [C in StepCommand]: Handler<C> } = {
  'create-account': commandCreateAccount,
  'create-invite': commandCreateInvite,
  'revoke-invite': commandRevokeInvite,
  'accept-request': commandAcceptRequest,
  'ignore-request': commandIgnoreRequest,
  send: commandSend,
  edit: commandEdit,
  delete: commandDelete,
  react: commandReact,
  'create-group': commandCreateGroup,
  'group-add': commandGroupAdd,
  'group-remove': commandGroupRemove,
  'group-role': commandGroupRole,
  'group-leave': commandGroupLeave,
  'group-rename': commandGroupRename,
  'group-policy': commandGroupPolicy,
  'remove-device': commandRemoveDevice,
  'set-topic': commandSetTopic,
  'set-picture': commandSetPicture,
  pin: commandPin,
  unpin: commandUnpin,
  'set-note': commandSetNote,
  'set-draft': commandSetDraft,
  'verify-contact': commandVerify,
  'mark-read': commandMarkRead,
  'rename-contact': commandRename,
  block: commandBlock,
  unblock: commandUnblock,
  'add-relay': commandAddRelay,
  'remove-relay': commandRemoveRelay,
  'add-bootstrap': commandAddBootstrap,
  'set-setting': commandSetSetting,
  'recovery-words': commandRecoveryWords,
  'confirm-recovery': commandConfirmRecovery,
  'retry-now': (step) => {
    for (const link of [...step.context.live.peers.values(), ...step.context.live.relays.values()])
      link.nextMs = 0
    return null
  },
}

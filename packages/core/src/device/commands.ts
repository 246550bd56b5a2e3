import type { CommandName, Commands } from './api.ts'
import {
  commandConfirmRecovery,
  commandCreateAccount,
  commandRecoveryWords,
  commandSetSetting,
} from './command-account.ts'
import {
  commandAcceptRequest,
  commandAddBootstrap,
  commandAddRelay,
  commandBlock,
  commandIgnoreRequest,
  commandMarkRead,
  commandRemoveRelay,
  commandRename,
  commandUnblock,
} from './command-contact.ts'
import { commandSend } from './command-message.ts'
import type { Step } from './context.ts'
import { commandCreateInvite, commandRevokeInvite } from './invites.ts'

/** Commands that end with their own batch; `add` takes as long as the network does and stands apart. */
export type StepCommand = Exclude<CommandName, 'add'>

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

import { UsageError } from '../errors.ts'
import { inviteStanding } from '../group/index.ts'
import type { Commands, ContactView } from './api.ts'
import type { Step } from './context.ts'
import { conversationNow } from './conversations.ts'
import { emit } from './events.ts'
import { admitHolder } from './frame-join.ts'
import { requireMember } from './group-ops.ts'
import { membershipOf } from './groups.ts'
import { overBy } from './join-requests.ts'
import { readId, requireContact } from './lookup.ts'
import { tendAllQueues } from './relay-queues.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  joinRequestRows,
  requestRows,
  type JoinRequest,
  type Request,
} from './tables.ts'
import { contactView } from './views.ts'

/** Says yes: a stranger becomes a contact, or somebody with a link comes into its group. */
export async function commandAcceptRequest(
  step: Step,
  input: Commands['accept-request']['in'],
): Promise<ContactView> {
  const id = readId(input.requestId, 'a request id')
  const join = step.tx.get(joinRequestRows, id)
  if (join !== undefined) return letIn(step, join)
  return becomeContact(step, requireRequest(step.tx.get(requestRows, id)))
}

/** From now on they are answered, and what they wrote is shown. */
function becomeContact(step: Step, request: Request): ContactView {
  step.tx.delete(requestRows, request.requestId)
  const contact = { ...requireContact(step, request.account), state: contactStates.connected }
  step.tx.put(contactRows, contact.account, contact)
  tendAllQueues(step)
  const view = contactView(step, contact)
  emit(step, { type: 'contact', contact: view, change: 'connected' })
  return view
}

async function letIn(step: Step, request: JoinRequest): Promise<ContactView> {
  const conversation = requireRequest(step.tx.get(conversationRows, request.conversation))
  requireMember(step, conversation)
  const standing = inviteStanding(membershipOf(step, conversation), request.invite)
  const over = standing === undefined ? 'E_INVITE_REVOKED' : overBy(step, standing)
  if (over !== undefined)
    throw new UsageError(over, 'the link they came by is no longer good', {
      hint: 'make a new one: sotto invite new --group GROUP',
    })
  await admitHolder(step, conversationNow(step, conversation), request)
  step.tx.delete(joinRequestRows, request.requestId)
  return contactView(step, requireContact(step, request.account))
}

/** An ignored stranger hears nothing, and does not ask again. */
export function commandIgnoreRequest(step: Step, input: Commands['ignore-request']['in']): null {
  const id = readId(input.requestId, 'a request id')
  const join = step.tx.get(joinRequestRows, id)
  if (join !== undefined) {
    step.tx.put(joinRequestRows, id, { ...join, ignored: true })
    return null
  }
  const request = requireRequest(step.tx.get(requestRows, id))
  step.tx.put(requestRows, request.requestId, { ...request, ignored: true })
  return null
}

function requireRequest<T>(request: T | undefined): T {
  if (request === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such request')
  return request
}

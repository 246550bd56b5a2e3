import { useStore } from '@nanostores/react'
import type { GroupRole, MemberView } from '@sotto/core'
import { useState } from 'react'
import { Button } from 'react-aria-components'
import { Ask } from './ask.tsx'
import { Avatar } from './avatar.tsx'
import type { Rights } from './group-rights.ts'
import type { Model } from './model.ts'
import { shortId } from './names.ts'
import { Select } from './select.tsx'
import { errorWords, strings } from './strings.ts'
import styles from './dialog.module.css'
import lists from './lists.module.css'

const words = strings.group
const roles: readonly GroupRole[] = ['owner', 'admin', 'member']

interface MembersProps {
  readonly model: Model
  readonly conversationId: string
  readonly members: readonly MemberView[]
  readonly rights: Rights
}

const nameOf = ({ name, accountId }: { readonly name: string; readonly accountId: string }): string =>
  name === '' ? strings.notices.someone(shortId(accountId)) : name

/** Everybody in the group with role and devices, and what may be done about each. */
export function Members({ model, conversationId, members, rights }: MembersProps) {
  return (
    <section className={styles['part']}>
      <h3>{words.members(members.length)}</h3>
      <ul className={lists['list']}>
        {members.map((member) => (
          <Member
            key={member.accountId}
            model={model}
            conversationId={conversationId}
            member={member}
            rights={rights}
          />
        ))}
      </ul>
    </section>
  )
}

interface MemberProps {
  readonly model: Model
  readonly conversationId: string
  readonly member: MemberView
  readonly rights: Rights
}

/** The roles this account may give the member; none but its own when it may give none. */
function choicesFor({ me, role }: MemberView, { isOwner, mayMakeAdmins }: Rights): readonly GroupRole[] {
  if (me) return [role]
  if (isOwner) return roles
  return mayMakeAdmins && role === 'member' ? ['admin', 'member'] : [role]
}

function Member({ model, conversationId, member, rights }: MemberProps) {
  const [error, setError] = useState<string>()
  const { accountId, role, devices } = member
  const name = nameOf(member)
  const choices = choicesFor(member, rights)
  const mayRemove = !member.me && rights.mayRule && (rights.isOwner || role === 'member')
  const change = (next: string): void => {
    setError(undefined)
    const found = roles.find((one) => one === next)
    if (found === undefined) return
    model.face.dispatch('group-role', { conversationId, accountId, role: found }).then(
      () => model.refresh('around'),
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  const remove = async (): Promise<void> => {
    await model.face.dispatch('group-remove', { conversationId, accountId })
    model.refresh('around')
    model.refresh('conversations')
  }
  const expired = devices.filter(({ state }) => state === 'expired').length
  return (
    <li className={lists['item']}>
      <Avatar name={name} id={accountId} />
      <div className={lists['who']}>
        <strong dir="auto">{member.me ? `${name} (${words.you})` : name}</strong>
        <span className="fine">
          {choices.length === 1 ? `${words.role[role]}, ` : ''}
          {words.devices(devices.length, expired)}
        </span>
      </div>
      <div className={lists['do']}>
        {choices.length > 1 && (
          <Select
            label={words.roleOf(name)}
            hidden
            value={role}
            options={choices.map((one) => [one, words.role[one]])}
            onChange={change}
          />
        )}
        {mayRemove && (
          <Ask
            label={words.remove}
            name={words.removeName(name)}
            question={words.removeAsk(name)}
            action={words.remove}
            run={remove}
          />
        )}
      </div>
      {error !== undefined && (
        <p className={lists['error']} role="alert">
          {error}
        </p>
      )}
    </li>
  )
}

interface AddProps {
  readonly model: Model
  readonly conversationId: string
  readonly members: readonly MemberView[]
  readonly historyDays: number | null
}

/** Contacts that are not in the group. */
export function AddMembers({ model, conversationId, members, historyDays }: AddProps) {
  const inside = new Set(members.map(({ accountId }) => accountId))
  const contacts = useStore(model.contacts).filter(
    ({ accountId, state }) => state === 'connected' && !inside.has(accountId),
  )
  const [error, setError] = useState<string>()
  const add = (accountId: string): void => {
    setError(undefined)
    model.face.dispatch('group-add', { conversationId, accountId }).then(
      () => {
        model.refresh('around')
        model.refresh('conversations')
      },
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  return (
    <section className={styles['part']}>
      <h3>{words.add}</h3>
      {contacts.length === 0 ? (
        <p className="fine">{words.addNone}</p>
      ) : (
        <>
          <p className="fine">{words.addHistory(historyDays)}</p>
          {error !== undefined && <p role="alert">{error}</p>}
          <ul className={`${lists['list'] ?? ''} ${lists['scroll'] ?? ''}`}>
            {contacts.map((contact) => (
              <li className={lists['item']} key={contact.accountId}>
                <Avatar name={nameOf(contact)} id={contact.accountId} />
                <div className={lists['who']}>
                  <strong dir="auto">{nameOf(contact)}</strong>
                </div>
                <Button
                  className="plain small"
                  aria-label={words.addName(nameOf(contact))}
                  onPress={() => add(contact.accountId)}
                >
                  {words.addDo}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

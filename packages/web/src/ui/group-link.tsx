import { useStore } from '@nanostores/react'
import { useEffect, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { InviteLink } from './invite-link.tsx'
import type { Model } from './model.ts'
import { Select } from './select.tsx'
import { errorWords, strings } from './strings.ts'
import { dayOf } from './times.ts'
import styles from './dialog.module.css'

const words = strings.group.link
const someUses = [1, 5, 25]

interface GroupLinkProps {
  readonly tab: Tab
  readonly role: 'own' | 'follower' | 'node'
  readonly model: Model
  readonly conversationId: string
}

/** The link into a group: made when wanted, shown until it is used up, withdrawn or closed by a removal. */
export function GroupLink({ tab, role, model, conversationId }: GroupLinkProps) {
  const links = useStore(model.invites).filter(({ group }) => group?.conversationId === conversationId)
  const [uses, setUses] = useState(1)
  const [error, setError] = useState<string>()
  useEffect(() => model.refresh('invites'), [model])
  const run = (work: Promise<unknown>): void => {
    setError(undefined)
    work.then(
      () => model.refresh('invites'),
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  const open = links.findLast(({ state }) => state === 'open')
  return (
    <section className={styles['part']}>
      <h3>{words.title}</h3>
      {error !== undefined && <p role="alert">{error}</p>}
      {open === undefined ? (
        <>
          <p className="fine">{links.at(-1)?.state === 'revoked' ? words.closed : words.lead}</p>
          <Select
            label={words.uses}
            value={String(uses)}
            options={someUses.map((count) => [String(count), words.people(count)])}
            onChange={(value) => setUses(Number(value))}
          />
          <Button
            className="plain"
            onPress={() => run(model.face.dispatch('create-invite', { conversationId, uses }))}
          >
            {words.make}
          </Button>
        </>
      ) : (
        <>
          <InviteLink
            tab={tab}
            role={role}
            invite={open}
            lead={words.works(open.uses - open.used, dayOf(open.expiresAtMs))}
          />
          <Button
            className="plain small"
            onPress={() => run(model.face.dispatch('revoke-invite', { inviteId: open.inviteId }))}
          >
            {strings.add.revoke}
          </Button>
        </>
      )}
    </section>
  )
}

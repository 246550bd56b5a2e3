import { useStore } from '@nanostores/react'
import type { SelfView } from '@sotto/core'
import { lazy, Suspense, useEffect } from 'react'
import { Button } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { Announcer } from './announcer.tsx'
import { Conversation, NothingChosen } from './conversation.tsx'
import { DeviceAlert } from './device-alert.tsx'
import { bindKeys } from './keys.ts'
import type { Model } from './model.ts'
import { $invite, $place, leave } from './place.ts'
import { Sidebar } from './sidebar.tsx'
import { strings } from './strings.ts'
import styles from './main.module.css'

/** Dialogs wait until they are asked for: the first paint goes without the QR encoder and the panel. */
const AddDialog = lazy(async () => ({ default: (await import('./add-dialog.tsx')).AddDialog }))
const ConnectionDialog = lazy(async () => ({
  default: (await import('./connection-dialog.tsx')).ConnectionDialog,
}))
const KeysDialog = lazy(async () => ({ default: (await import('./keys-dialog.tsx')).KeysDialog }))
const NewGroupDialog = lazy(async () => ({
  default: (await import('./new-group-dialog.tsx')).NewGroupDialog,
}))
const GroupDialog = lazy(async () => ({ default: (await import('./group-dialog.tsx')).GroupDialog }))
const DevicesDialog = lazy(async () => ({ default: (await import('./devices-dialog.tsx')).DevicesDialog }))
const ApproveDialog = lazy(async () => ({ default: (await import('./approve-dialog.tsx')).ApproveDialog }))
const InviteDialog = lazy(async () => ({ default: (await import('./invite-dialog.tsx')).InviteDialog }))

interface MainProps {
  readonly tab: Tab
  readonly role: 'own' | 'follower' | 'node'
  readonly model: Model
  readonly self: SelfView
}

/** The two panes: chats and the open one. Narrow, one at a time. */
export function Main({ tab, role, model, self }: MainProps) {
  const { conversationId, dialog } = useStore($place)
  const invite = useStore($invite)
  useEffect(() => bindKeys(model), [model])
  useEffect(() => model.open(conversationId), [model, conversationId])
  useTitle(model)
  return (
    <div className={styles['frame']} data-open={conversationId !== undefined}>
      {role === 'follower' && <Elsewhere tab={tab} />}
      <DeviceAlert model={model} self={self} />
      <div className={styles['panes']}>
        <Sidebar model={model} self={self} />
        {conversationId === undefined ? (
          <NothingChosen />
        ) : (
          <Conversation key={conversationId} model={model} conversationId={conversationId} />
        )}
      </div>
      <Announcer model={model} />
      <Suspense>
        {invite !== undefined && <InviteDialog tab={tab} model={model} link={invite} />}
        {dialog === 'add' && <AddDialog tab={tab} role={role} model={model} onClose={leave} />}
        {dialog === 'connection' && (
          <ConnectionDialog role={role} model={model} self={self} onClose={leave} />
        )}
        {dialog === 'new-group' && <NewGroupDialog model={model} onClose={leave} />}
        {dialog === 'group' && conversationId !== undefined && (
          <GroupDialog tab={tab} role={role} model={model} conversationId={conversationId} onClose={leave} />
        )}
        {dialog === 'devices' && <DevicesDialog model={model} onClose={leave} />}
        {dialog === 'link' && <ApproveDialog model={model} onClose={leave} />}
        {dialog === 'keys' && <KeysDialog onClose={leave} />}
      </Suspense>
    </div>
  )
}

function Elsewhere({ tab }: { readonly tab: Tab }) {
  return (
    <div className={styles['notice']} role="status">
      <span>{strings.tabs.elsewhere}</span>
      <Button className="plain small" onPress={() => tab.useHere()}>
        {strings.tabs.useHere}
      </Button>
    </div>
  )
}

/** The tab's title says how many messages are unread, and nothing of whose. */
function useTitle(model: Model): void {
  const conversations = useStore(model.conversations)
  const unread = (conversations ?? []).reduce((sum, one) => sum + one.unread, 0)
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${strings.app}` : strings.app
  }, [unread])
}

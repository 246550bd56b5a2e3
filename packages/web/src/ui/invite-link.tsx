import type { InviteView } from '@sotto/core'
import { useEffect, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { CopyIcon } from './icons.tsx'
import { shareLink } from './invites.ts'
import { QrCode } from './qr-code.tsx'
import { strings } from './strings.ts'
import styles from './dialog.module.css'

const words = strings.add

interface LinkProps {
  readonly tab: Tab
  readonly role: 'own' | 'follower' | 'node'
  readonly invite: InviteView
  /** How it works, before who keeps it. */
  readonly lead: string
}

/** A link to hand out: its picture for cameras, itself for copying. */
export function InviteLink({ tab, role, invite, lead }: LinkProps) {
  const [link, setLink] = useState<string>()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    setCopied(false)
    void shareLink(tab, role, invite.link).then(setLink)
  }, [tab, role, invite.link])
  if (link === undefined) return null
  return (
    <>
      <QrCode text={link} label={words.qr} />
      <p className={styles['link']} data-invite-link translate="no" aria-label={words.link}>
        {link}
      </p>
      <Button
        className="primary wide"
        onPress={() =>
          void navigator.clipboard.writeText(link).then(
            () => setCopied(true),
            () => undefined,
          )
        }
      >
        <CopyIcon />
        <span aria-live="polite">{copied ? strings.copied : strings.copy}</span>
      </Button>
      <p className="fine">
        {lead} {heldWords(invite)}
      </p>
    </>
  )
}

function heldWords({ heldBy }: InviteView): string {
  if (heldBy.includes('relay')) return words.heldRelay
  return heldBy.includes('dht') ? words.heldDht : words.heldNobody
}

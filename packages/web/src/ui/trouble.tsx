import { useState } from 'react'
import { Button } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { AlertIcon } from './icons.tsx'
import { strings } from './strings.ts'
import styles from './app.module.css'

const words = strings.trouble
type Kind = 'lost' | 'refused' | 'unsupported' | 'lostNode' | 'other'

const kinds: Readonly<Record<string, Kind>> = {
  E_STORE_EVICTED: 'lost',
  E_STORE_REFUSED: 'refused',
  E_UNSUPPORTED: 'unsupported',
  E_PORT_LOST: 'lostNode',
}

/** The device cannot run here: what happened, what it means, what helps. */
export function Trouble({ code, tab }: { readonly code: string; readonly tab: Tab }) {
  const kind = kinds[code] ?? 'other'
  const { title, lead, what } = words[kind]
  return (
    <main className={styles['page']}>
      <div className={styles['card']} role="alert">
        <span className={styles['alert']}>
          <AlertIcon />
        </span>
        <h1>{title}</h1>
        <p className={styles['lead']}>{lead}</p>
        <p className={styles['lead']}>{what}</p>
        <div className={styles['actions']}>
          <Button className="primary" onPress={() => location.reload()}>
            {words.again}
          </Button>
          {kind === 'lost' && <StartOver tab={tab} />}
        </div>
        <p className={styles['fine']}>{words.code(code)}</p>
      </div>
    </main>
  )
}

/** Asks twice: what is left of the old device goes. */
function StartOver({ tab }: { readonly tab: Tab }) {
  const [sure, setSure] = useState(false)
  return (
    <Button
      className={sure ? 'danger' : 'plain'}
      onPress={() => (sure ? void tab.startOver() : setSure(true))}
    >
      {sure ? words.startOverSure : words.startOver}
    </Button>
  )
}

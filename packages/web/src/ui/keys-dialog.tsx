import { Sheet } from './dialog.tsx'
import { bindings } from './keys.ts'
import { strings } from './strings.ts'
import styles from './dialog.module.css'

/** Every shortcut there is. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Sheet title={strings.keys.title} onClose={onClose}>
      <dl className={styles['facts']}>
        {bindings.map(({ keys, words }) => (
          <div key={keys}>
            <dt>{words}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Sheet>
  )
}

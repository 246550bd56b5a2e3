import { useId } from 'react'
import styles from './lists.module.css'

interface SelectProps {
  readonly label: string
  /** The label is for those alone who do not see what stands beside it. */
  readonly hidden?: boolean
  readonly value: string
  /** Value and words of each choice. */
  readonly options: readonly (readonly [value: string, words: string])[]
  readonly isDisabled?: boolean
  readonly onChange: (value: string) => void
}

/** The browser's own list of choices: it fits every screen and reader. */
export function Select({ label, hidden = false, value, options, isDisabled = false, onChange }: SelectProps) {
  const id = useId()
  return (
    <div className={styles['select']}>
      <label htmlFor={id} className={hidden ? 'unseen' : undefined}>
        {label}
      </label>
      <select id={id} value={value} disabled={isDisabled} onChange={(event) => onChange(event.target.value)}>
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </div>
  )
}

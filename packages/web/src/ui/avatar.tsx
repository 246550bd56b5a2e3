import styles from './main.module.css'

const tones = 6

/** A circle with the first letter of a name; its tone follows the account, so that it stays. */
export function Avatar({
  name,
  id,
  large = false,
}: {
  readonly name: string
  readonly id: string
  readonly large?: boolean
}) {
  let sum = 0
  for (const unit of id) sum = (sum * 31 + (unit.codePointAt(0) ?? 0)) % 997
  const [first = '·'] = name.trim()
  return (
    <span className={styles['avatar']} data-tone={sum % tones} data-large={large} aria-hidden="true">
      {first.toLocaleUpperCase()}
    </span>
  )
}

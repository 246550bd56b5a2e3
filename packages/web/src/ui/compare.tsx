import { useEffect, useRef } from 'react'
import { Button } from 'react-aria-components'
import { strings } from './strings.ts'
import styles from './link.module.css'

const words = strings.link

interface CompareProps {
  readonly emoji: readonly string[]
  /** What the other device is called. */
  readonly other: string
  readonly isBusy: boolean
  readonly onAnswer: (match: boolean) => void
}

/**
 * Six pictures with their names (a system may lack the pictures, and empty boxes all look alike) that are the same on
 * both devices when nobody is in between.
 */
export function Compare({ emoji, other, isBusy, onAnswer }: CompareProps) {
  const list = useRef<HTMLOListElement>(null)
  // Neither answer: a key pressed too early must not be one.
  useEffect(() => {
    list.current?.focus()
  }, [])
  return (
    <>
      <p>{words.compareLead(other)}</p>
      <ol ref={list} tabIndex={-1} className={styles['emoji']} aria-label={words.emoji}>
        {emoji.map((one, index) => (
          // The same picture may come twice.
          <li key={`${index} ${one}`}>
            <span aria-hidden="true">{one}</span>
            <span>{strings.emoji[one] ?? one}</span>
          </li>
        ))}
      </ol>
      {isBusy ? (
        <p role="status">{words.confirming}</p>
      ) : (
        <div className={styles['answers']}>
          <Button className="primary" onPress={() => onAnswer(true)}>
            {words.match}
          </Button>
          <Button className="plain" onPress={() => onAnswer(false)}>
            {words.differ}
          </Button>
        </div>
      )}
    </>
  )
}

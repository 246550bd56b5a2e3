import { strings } from './strings.ts'
import styles from './app.module.css'

/** The mark: a speech bubble under a hand-drawn hush. */
export const Logo = () => (
  <p className={styles['logo']}>
    <svg width="36" height="36" viewBox="0 0 48 48" aria-hidden="true">
      <path
        d="M24 5C13 5 5 12.4 5 22c0 5.3 2.5 9.8 6.500 12.900L10 43l8.600-4.600c1.700.4 3.500.6 5.400.6 11 0 19-7.400 19-17S35 5 24 5z"
        fill="var(--accent)"
      />
      <path
        d="M15.500 24.500c2-4 4.800-4 6.500 0s4.500 4 6.500 0 3.500-3.500 5-1"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="3"
        strokeLinecap="round"
      />
    </svg>
    <span>{strings.app}</span>
  </p>
)

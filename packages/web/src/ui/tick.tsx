import styles from './lists.module.css'

/** The box of a choice; its tick shows when the choice around it is made. */
export const Tick = () => (
  <span className={styles['tick']} aria-hidden="true">
    <svg width="16" height="16" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="3.5">
      <path d="M4.5 12.5l5 5L19.5 7" />
    </svg>
  </span>
)

/** Both clocks of a machine. Wall time may jump; monotonic time never goes back within a process. */
export interface Clock {
  /** Milliseconds since 1970 UTC as this machine believes. */
  nowMs(): number
  /** Milliseconds since an arbitrary start, for timers and rates. */
  monotonicMs(): number
}

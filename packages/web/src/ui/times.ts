const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

const dayKey = (ms: number): string => new Date(ms).toDateString()

export const timeOf = (ms: number): string => time.format(ms)
export const dayOf = (ms: number): string => day.format(ms)
export const sameDay = (a: number, b: number): boolean => dayKey(a) === dayKey(b)

/** The time for today, the date for before. */
export const shortTime = (ms: number): string => (sameDay(ms, Date.now()) ? timeOf(ms) : shortDay.format(ms))

const moment = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
})
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })

/** Day and time, for what may lie long ago. */
export const momentOf = (ms: number): string => moment.format(ms)
export const dateOf = (ms: number): string => date.format(ms)

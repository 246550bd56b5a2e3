/** Laws whose breach loses, shows or tells something that should not be. */
export const safetyLaws = [
  'no-loss',
  'no-duplicate',
  'authenticity',
  'no-key-reuse',
  'ciphertext-only-outside',
  'ladder-honesty',
  'nobody-silent',
  'same-pictures',
  'removed-blind',
  'removed-mute',
  'newcomer-blind',
  'unlinked-queues',
  'nobody-falls',
  'same-members',
  'same-history',
  'bounds',
  'store-opens',
  'no-rollback',
  'set-back-named',
  'clone-named',
] as const

/** Laws about how soon. */
export const livenessLaws = ['converged'] as const

export type Law = (typeof safetyLaws)[number] | (typeof livenessLaws)[number]

/** A law that did not hold, with what shows it. */
export interface Violation {
  readonly law: Law
  readonly atMs: number
  readonly what: string
}

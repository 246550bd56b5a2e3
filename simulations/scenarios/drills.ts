/** Drills whose feature Sotto does not have yet: they count as not run, never as passed. */
export const missingDrills: readonly {
  readonly name: string
  readonly claim: string
  readonly why: string
}[] = [
  {
    name: 'plaintext-backup',
    claim: 'A copy of a backup that somebody else holds shows no word and no name without its passphrase.',
    why: 'there are no backups yet',
  },
  {
    name: 'push-preview',
    claim: 'Whoever carries the push notifications of a phone learns that something came, and nothing else.',
    why: 'there are no push notifications yet',
  },
]

import { atom } from 'nanostores'

export type DialogName = 'add' | 'connection' | 'keys' | 'new-group' | 'group' | 'devices' | 'link'

/** Where the person is; never part of the address, which may be seen by others. */
export interface Place {
  readonly conversationId: string | undefined
  readonly dialog: DialogName | undefined
}

const home: Place = { conversationId: undefined, dialog: undefined }

export const $place = atom<Place>(home)

/** Goes somewhere; the browser's back button leads back. */
export function goTo(change: Partial<Place>): void {
  const next = { ...$place.get(), ...change }
  history.pushState({ place: next }, '')
  $place.set(next)
}

/** Leaves the dialog, or else the conversation. */
export function leave(): void {
  const { dialog } = $place.get()
  goTo(dialog === undefined ? home : { dialog: undefined })
}

addEventListener('popstate', ({ state }: PopStateEvent) => {
  const place = (state as { readonly place?: Place } | null)?.place
  $place.set(place ?? home)
})

/** An invite link the page was opened with; forgotten once it was dealt with. */
export const $invite = atom<string | undefined>(
  location.pathname === '/i' && location.hash.length > 1 ? location.href : undefined,
)

export function forgetInvite(): void {
  $invite.set(undefined)
  history.replaceState(null, '', '/')
}

/** Tells the person that something arrived. `text` is given only when previews were turned on. */
export interface Notifier {
  messageArrived(preview?: { readonly name: string; readonly text: string }): void
}

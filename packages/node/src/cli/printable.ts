/* eslint-disable no-control-regex -- control characters are what this file is about */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
const overrides = /[\u202a-\u202e\u2066-\u2069]/g
const upperControls = /[\u007f-\u009f]/g

/**
 * Text of another person as a terminal may show it: control characters, which could move the cursor or
 * retitle the window, become a replacement mark, and marks that reorder a line are left out.
 */
export const printable = (text: string): string => text.replace(controls, '\ufffd').replace(overrides, '')

/** The same for something that must stay on one line. */
export const printableLine = (text: string): string => printable(text.replace(/[\t\n]+/g, ' '))

/** JSON on one line in which no character can steer a terminal. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    upperControls,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

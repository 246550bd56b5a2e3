import { limits } from '../limits.ts'
import { utf8 } from '../wire/index.ts'

/**
 * Where pictures are, in ranges that no later version of Unicode moves (docs/protocol/history.md §9), so that every
 * device, whatever its tables know, shows the same reactions. Unassigned places within them count.
 */
const pictures =
  '\\u00A9\\u00AE\\u203C\\u2049\\u2122\\u2139\\u2190-\\u23FF\\u24C2\\u25A0-\\u27BF\\u2900-\\u297F\\u2B00-\\u2BFF' +
  '\\u3030\\u303D\\u3297\\u3299\\u{1F000}-\\u{1F1E5}\\u{1F200}-\\u{1FAFF}'
const regional = '[\\u{1F1E6}-\\u{1F1FF}]'
const tone = '[\\u{1F3FB}-\\u{1F3FF}]'
const tags = '[\\u{E0020}-\\u{E007E}]+\\u{E007F}'
const picture = `[${pictures}](?:\\uFE0F|${tone})?(?:${tags})?`

/** The possible emoji of UTS #51 §1.4.9, over our ranges. */
const emoji = new RegExp(`^(?:[0-9#*]\\uFE0F?\\u20E3|${regional}{2}|${picture}(?:\\u200D${picture})*)$`, 'u')

/** Whether a text is one emoji, by its form alone: a picture, a flag, a keycap or pictures joined into one. */
export const isEmoji = (value: string): boolean =>
  value.length <= limits.emojiBytes && emoji.test(value) && utf8(value).length <= limits.emojiBytes

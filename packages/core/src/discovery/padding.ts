const marker = 0x80

/**
 * Pads with one 0x80 and zeros (ISO/IEC 7816-4) to the next multiple of `step` bytes, at most to `max`. The
 * classes are wider than those of messages: a record stands still for days, and its size must not tell one
 * device's from another's. Trusts its caller that `content` is shorter than `max`.
 */
export function padToStep(content: Uint8Array, step: number, max: number): Uint8Array {
  const padded = new Uint8Array(Math.min(Math.ceil((content.length + 1) / step) * step, max))
  padded.set(content)
  padded[content.length] = marker
  return padded
}

/** Takes off what `padToStep` put on; undefined when it is not there. */
export function unpadStep(padded: Uint8Array): Uint8Array | undefined {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  return end >= 0 && padded[end] === marker ? padded.subarray(0, end) : undefined
}

/**
 * Cuts a byte stream into lines of at most `maxBytes`; `onTooLong` is called once, after which nothing is
 * read any more. Bytes are kept as they came, so a character cut by a chunk's edge stays whole.
 */
export function lineReader(
  maxBytes: number,
  onLine: (line: string) => void,
  onTooLong: () => void,
): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let length = 0
  let closed = false
  const keep = (part: Buffer): void => {
    parts.push(part)
    length += part.length
  }
  const take = (): string => {
    const line = Buffer.concat(parts).toString('utf8')
    parts = []
    length = 0
    return line
  }
  return (chunk) => {
    let from = 0
    while (!closed && from < chunk.length) {
      const end = chunk.indexOf(10, from)
      keep(chunk.subarray(from, end === -1 ? chunk.length : end))
      if (length > maxBytes) {
        closed = true
        parts = []
        onTooLong()
      } else if (end !== -1) {
        const line = take()
        if (line.trim() !== '') onLine(line)
      }
      from = end === -1 ? chunk.length : end + 1
    }
  }
}

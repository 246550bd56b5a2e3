/** Module hook: gives one file with one line changed. */
let bug

export function initialize(data) {
  bug = data
}

export async function load(url, context, next) {
  const loaded = await next(url, context)
  if (url.split('?')[0] !== bug.url) return loaded
  Atomics.add(bug.planted, 0, 1)
  const source = Buffer.from(loaded.source).toString('utf8')
  return { ...loaded, source: source.replace(bug.find, () => bug.replace) }
}

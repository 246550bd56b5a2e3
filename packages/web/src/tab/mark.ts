const key = 'sotto.device'

/**
 * A note outside IndexedDB that this origin has a device. A browser that deletes the database and not this
 * note is found out; one that deletes both cannot be.
 */
export function isMarked(): boolean {
  try {
    return localStorage.getItem(key) !== null
  } catch {
    return false
  }
}

export function mark(): void {
  try {
    localStorage.setItem(key, '1')
  } catch {
    // Without the note an evicted device looks like none; the panel shows that nothing is kept for certain.
  }
}

export function unmark(): void {
  try {
    localStorage.removeItem(key)
  } catch {
    // There was none.
  }
}

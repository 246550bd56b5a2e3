import { MemoryDatastore } from 'datastore-core'

type Key = Parameters<MemoryDatastore['put']>[0]

/** Where kad-dht keeps the values it holds for others. */
const recordPrefix = '/dht/record/'

/**
 * libp2p's memory: peers and DHT values, the latter up to a number. Anyone can sign values under keys of
 * their own making, so without a bound a stranger decides how much a node remembers. The value put longest
 * ago makes room; whoever still means it puts it again. (Extends a class, as libp2p's stores do.)
 */
export class BoundedDatastore extends MemoryDatastore {
  readonly #records = new Map<string, Key>()
  readonly #maxRecords: number

  constructor(maxRecords: number) {
    super()
    this.#maxRecords = maxRecords
  }

  override put(
    ...[key, value, options]: Parameters<MemoryDatastore['put']>
  ): ReturnType<MemoryDatastore['put']> {
    if (key.toString().startsWith(recordPrefix)) this.#makeRoom(key)
    return super.put(key, value, options)
  }

  override delete(
    ...[key, options]: Parameters<MemoryDatastore['delete']>
  ): ReturnType<MemoryDatastore['delete']> {
    this.#records.delete(key.toString())
    return super.delete(key, options)
  }

  #makeRoom(key: Key): void {
    const name = key.toString()
    this.#records.delete(name)
    this.#records.set(name, key)
    if (this.#records.size <= this.#maxRecords) return
    const [oldest] = this.#records.values()
    if (oldest !== undefined) void this.delete(oldest)
  }
}

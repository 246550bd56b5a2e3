/** RPCs of gossipsub as an attacker writes them, who is bound by no library: protobuf by hand, length-prefixed. */

/** What one RPC says. */
export interface GossipRpc {
  readonly subscriptions?: readonly { readonly name: string; readonly subscribe: boolean }[]
  /** `from`: an author, which an unsigned message must not name. */
  readonly messages?: readonly {
    readonly topic: string
    readonly data: Uint8Array
    readonly from?: Uint8Array
  }[]
  readonly ihave?: readonly { readonly topic: string; readonly ids: readonly Uint8Array[] }[]
  readonly iwant?: readonly { readonly ids: readonly Uint8Array[] }[]
  readonly idontwant?: readonly { readonly ids: readonly Uint8Array[] }[]
  readonly graft?: readonly string[]
  /** `backoff`: seconds, as an encoded varint. */
  readonly prune?: readonly { readonly topic: string; readonly backoff: Uint8Array }[]
}

/** An unsigned varint of up to 64 bits. */
export function varint(value: bigint): Uint8Array {
  const out: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from([...out, Number(rest)])
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const bytesField = (tag: number, bytes: Uint8Array): Uint8Array =>
  join(varint(BigInt((tag << 3) | 2)), varint(BigInt(bytes.length)), bytes)
const numberField = (tag: number, value: Uint8Array): Uint8Array => join(varint(BigInt(tag << 3)), value)
const textField = (tag: number, text: string): Uint8Array => bytesField(tag, new TextEncoder().encode(text))

/** Encodes an RPC with its length in front. */
export function gossipRpc(rpc: GossipRpc): Uint8Array {
  const ids = (tag: number, list: readonly Uint8Array[]): Uint8Array[] =>
    list.map((id) => bytesField(tag, id))
  const control = join(
    ...(rpc.ihave ?? []).map((one) => bytesField(1, join(textField(1, one.topic), ...ids(2, one.ids)))),
    ...(rpc.iwant ?? []).map((one) => bytesField(2, join(...ids(1, one.ids)))),
    ...(rpc.graft ?? []).map((topic) => bytesField(3, textField(1, topic))),
    ...(rpc.prune ?? []).map((one) =>
      bytesField(4, join(textField(1, one.topic), numberField(3, one.backoff))),
    ),
    ...(rpc.idontwant ?? []).map((one) => bytesField(5, join(...ids(1, one.ids)))),
  )
  const body = join(
    ...(rpc.subscriptions ?? []).map(({ name, subscribe }) =>
      bytesField(1, join(numberField(1, Uint8Array.of(subscribe ? 1 : 0)), textField(2, name))),
    ),
    ...(rpc.messages ?? []).map(({ topic, data, from }) =>
      bytesField(
        2,
        join(...(from === undefined ? [] : [bytesField(1, from)]), bytesField(2, data), textField(4, topic)),
      ),
    ),
    ...(control.length > 0 ? [bytesField(3, control)] : []),
  )
  return join(varint(BigInt(body.length)), body)
}

/** A cryptographically secure source of bytes; seeded only in tests and simulations. */
export interface Random {
  bytes(length: number): Uint8Array
}

/** A bug that can be planted: one line of one file, and what a tired author would have written there. */
export interface Mutant {
  readonly name: string
  readonly mistake: string
  /** Path from the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Where a law should notice it, the likeliest first. */
  readonly scenarios: readonly string[]
  /** Settings under which what it breaks happens often. */
  readonly set?: readonly string[]
}

export const mutants: readonly Mutant[]
export function staleness(mutant: Mutant): string | undefined
export function bugIn(args: readonly string[]): Mutant | undefined
export function plant(mutant: Mutant): () => boolean

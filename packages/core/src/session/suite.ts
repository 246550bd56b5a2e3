import { suites } from './types.ts'

interface SuiteRange {
  readonly suite: number
  readonly minSuite: number
}

/** The highest suite both certificates allow and this build speaks; undefined when there is none. */
export function agreedSuite(a: SuiteRange, b: SuiteRange): number | undefined {
  const low = Math.max(a.minSuite, b.minSuite)
  const high = Math.min(a.suite, b.suite)
  return suites.filter((suite) => suite >= low && suite <= high).at(-1)
}

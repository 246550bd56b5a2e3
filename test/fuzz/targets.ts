import { readdirSync } from 'node:fs'
import type { FuzzTarget } from './driver.ts'

const folder = new URL('./targets/', import.meta.url)

/** Every target of every `*.fuzz.ts`, by name. */
export async function allTargets(): Promise<readonly FuzzTarget[]> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.fuzz.ts'))
  const modules = await Promise.all(
    files.map(
      async (file) =>
        (await import(new URL(file, folder).href)) as { readonly targets: readonly FuzzTarget[] },
    ),
  )
  return modules.flatMap(({ targets }) => targets).sort((a, b) => (a.name < b.name ? -1 : 1))
}

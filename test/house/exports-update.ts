import { writeFileSync } from 'node:fs'
import { committedList, doorExports } from './door-exports.ts'

writeFileSync(committedList, `${JSON.stringify(doorExports(), null, 2)}\n`)

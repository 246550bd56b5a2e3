import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { committedList, doorExports } from './door-exports.ts'

describe('public exports', () => {
  const committed = JSON.parse(readFileSync(committedList, 'utf8')) as Record<string, string[]>
  const actual = doorExports()

  it('lists the doors there are (npm run exports:update rewrites the list)', () => {
    expect(Object.keys(committed)).to.deep.equal(Object.keys(actual))
  })

  for (const [door, names] of Object.entries(actual)) {
    it(`${door} shows what the committed list says`, () => {
      expect(names).to.not.include('*')
      expect(names).to.deep.equal(committed[door])
    })
  }
})

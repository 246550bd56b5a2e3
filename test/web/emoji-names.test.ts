import { expect } from 'chai'
import { linkEmoji } from '../../packages/core/src/identity/index.ts'
import { emojiStrings } from '../../packages/web/src/ui/strings-emoji.ts'

describe('the pictures of linking', () => {
  it('have a name each on the page, and no two the same', () => {
    const symbols = linkEmoji.map(({ symbol }) => symbol)
    expect(Object.keys(emojiStrings).toSorted()).to.deep.equal(symbols.toSorted())
    expect(new Set(Object.values(emojiStrings)).size).to.equal(symbols.length)
  })
})

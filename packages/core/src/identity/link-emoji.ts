/** One of the 64 pictures two devices show to be compared, with the word that is read out. */
export interface LinkEmoji {
  readonly symbol: string
  readonly name: string
}

/** Six of them are shown, six bits each. */
export const linkEmojiCount = 6

/** The table, in order (docs/protocol/linking.md §6): Unicode 7 or older, each unlike the others at a glance. */
const table =
  '🐝 bee,🐘 elephant,🐙 octopus,🐌 snail,🐢 turtle,🐧 penguin,🐎 horse,🐫 camel,' +
  '🐠 fish,🐞 ladybird,🐍 snake,🐓 rooster,🐇 rabbit,🐳 whale,🐺 wolf,🐾 paws,' +
  '🌵 cactus,🌻 sunflower,🍄 mushroom,🍁 maple leaf,🌲 fir,🌴 palm,🍀 clover,🌹 rose,' +
  '🍌 banana,🍒 cherries,🍋 lemon,🍉 melon,🍍 pineapple,🌽 maize,🍆 aubergine,🍓 strawberry,' +
  '🍞 bread,🍰 cake,🍳 fried egg,🍦 ice cream,☕ coffee,🍿 popcorn,🍕 pizza,🍯 honey,' +
  '🚲 bicycle,🚂 train,🚁 helicopter,⛵ sailing boat,🚜 tractor,🚀 rocket,🚌 bus,⚓ anchor,' +
  '🎈 balloon,🎸 guitar,🎺 trumpet,🎲 die,⚽ football,🏆 cup,🎩 top hat,👑 crown,' +
  '🔑 key,🔔 bell,🔨 hammer,💡 light bulb,📖 book,🎁 gift,☔ umbrella,⌛ hourglass'

/** All 64. */
export const linkEmoji: readonly LinkEmoji[] = table.split(',').map((entry) => {
  const space = entry.indexOf(' ')
  return { symbol: entry.slice(0, space), name: entry.slice(space + 1) }
})

/** The six pictures of five bytes: their first 36 bits, six at a time. */
export function emojiOf(digest: Uint8Array): readonly LinkEmoji[] {
  const bits = digest.subarray(0, 5).reduce((sum, byte) => sum * 256 + byte, 0)
  return Array.from({ length: linkEmojiCount }, (_, i) => {
    const emoji = linkEmoji[Math.floor(bits / 2 ** (34 - 6 * i)) % 64]
    return emoji ?? { symbol: '', name: '' }
  })
}

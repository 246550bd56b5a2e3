import { Secret } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'

/** Crockford's base32: no I, L, O or U, so that little can be misread. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const locatorChars = 3
const passwordChars = 5

/** Fresh random bytes a short code is made of: 40 bits. */
export const linkCodeBytes = 5

/** A short code taken apart: three characters to find the new device by, five to prove that one was told them. */
export interface LinkCode {
  readonly locator: string
  /** The five characters in ASCII, upper case. */
  readonly password: Secret
}

/** Makes the code of `linkCodeBytes` fresh random bytes. */
export function linkCodeOf(entropy: Uint8Array): LinkCode {
  if (entropy.length !== linkCodeBytes)
    throw new UsageError('E_LENGTH', 'a short code is made of five random bytes')
  const bits = entropy.reduce((sum, byte) => sum * 256 + byte, 0)
  const chars = Array.from({ length: 8 }, (_, i) => alphabet[Math.floor(bits / 32 ** (7 - i)) % 32] ?? '')
  return codeOf(chars.join(''))
}

const codeOf = (chars: string): LinkCode => ({
  locator: chars.slice(0, locatorChars),
  password: new Secret(Uint8Array.from(chars.slice(locatorChars), (char) => char.charCodeAt(0))),
})

/** The code as it is shown: XXX-XXXXX. */
export const formatLinkCode = ({ locator, password }: LinkCode): string =>
  `${locator}-${String.fromCharCode(...password.expose())}`

/**
 * Reads what a person typed: either case, O for 0, I and L for 1, with or without hyphens and spaces; undefined
 * when it is no code.
 */
export function parseLinkCode(input: string): LinkCode | undefined {
  if (input.length > 64) return undefined
  const folded = input.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  return isCrockford(folded, locatorChars + passwordChars) ? codeOf(folded) : undefined
}

const isCrockford = (text: string, length: number): boolean =>
  text.length === length && Array.from(text).every((char) => alphabet.includes(char))

/** Whether these are the characters a code is found by. */
export const isLocator = (locator: string): boolean => isCrockford(locator, locatorChars)

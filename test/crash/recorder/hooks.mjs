const provider = new URL('./provider.ts', import.meta.url).href
const recorded = new URL('../../../packages/core/bindings/crypto-node/index.ts', import.meta.url).href

/** Module hook: whoever asks for the Node crypto provider gets the recording one, which alone gets the real one. */
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  return found.url.split('?')[0] === recorded && context.parentURL?.split('?')[0] !== provider
    ? { ...found, url: provider }
    : found
}

/** What the two Trusted Types policies need of the browser; `undefined` where it has none. */
interface PolicyFactory {
  createPolicy(
    name: string,
    rules: {
      readonly createHTML?: (html: string) => string
      readonly createScriptURL?: (url: string) => string
    },
  ): { createScriptURL(url: string): string }
}

const factory = (globalThis as { readonly trustedTypes?: PolicyFactory }).trustedTypes

/** React Aria empties its announcer through innerHTML; nothing but the empty string passes. */
factory?.createPolicy('default', {
  createHTML: (html) => {
    if (html === '') return ''
    throw new TypeError('text reaches the page as text only')
  },
})

const scripts = factory?.createPolicy('sotto-script', {
  createScriptURL: (url) => {
    const { origin } = new URL(url, location.href)
    if (origin === location.origin) return url
    throw new TypeError('scripts come from this origin only')
  },
})

/** The URL of a script of this app, as the sink of `new Worker` takes it. */
export const scriptUrl = (url: string): string => scripts?.createScriptURL(url) ?? url

import { fileURLToPath } from 'node:url'

/** Where the web app is built to. */
export const appFolder = fileURLToPath(new URL('../../../web/dist', import.meta.url))

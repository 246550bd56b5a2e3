export { createLog } from './log.ts'
export type { LogOptions } from './log.ts'
export { contentSecurityPolicy, securityHeaders, serveStatic } from './static-server.ts'
export type { StaticHandler, StaticOptions } from './static-server.ts'

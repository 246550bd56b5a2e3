import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { DocumentMemory } from '../support/document-memory.ts'

const url = (path: string): URL => new URL(path, import.meta.url)

describe('081: two hundred documents of a megabyte', () => {
  it('opened and freed one after another take the memory of a few', async () => {
    const polyfill = url('../../packages/core/bindings/host-node/polyfill.mjs').href
    const child = fork(fileURLToPath(url('../support/document-memory.ts')), {
      execArgv: ['--import', polyfill, '--import', 'tsx', '--conditions=sotto-source'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const ended = Promise.withResolvers<DocumentMemory>()
    child.once('message', (found) => ended.resolve(found as DocumentMemory))
    child.once('exit', (code) => ended.reject(new Error(`the process ended with ${String(code)}`)))
    const { saved, few, all, kept } = await ended.promise
    child.kill()
    expect(saved).to.be.above(500_000)
    expect(few).to.be.above(0)
    expect(all, 'after two hundred').to.equal(few)
    expect(kept, 'what is not freed shows').to.be.above(all)
  }).timeout(120_000)
})

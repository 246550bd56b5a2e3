import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/**
 * One page, one Worker, no inline code: the files run under the content security policy of
 * docs/operating/web.md as they are. `public/face.json` says that the device runs in the tab; the server of a
 * local node answers that path itself.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  resolve: { conditions: ['sotto-source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2_000,
  },
})

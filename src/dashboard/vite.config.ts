/** How the page is built: one folder of static files, whose names carry a hash of what is in them. */
import { join } from 'node:path'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, '../../build/dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    // Of a Content-Security-Policy with `default-src 'none'` a data: URL is only good for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})

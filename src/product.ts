/** What this is, by package.json, and what lies beside src. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string
  version: string
}

export const product = { name, version }

export const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url))

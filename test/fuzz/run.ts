/** `npm run fuzz [-- MINUTES | FILE]`: fuzzing for so long (10 minutes), or the one input that was found. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const given = process.argv[2] ?? '10'
const what = /^[\d.]+$/.test(given) ? { FUZZ_MINUTES: given } : { FUZZ_FILE: resolve(given) }

const seed = process.env['FUZZ_SEED'] ?? String(Date.now() % 1_000_000)
console.log(`FUZZ_SEED=${seed}`)

process.on('SIGINT', () => undefined) // It reaches the tests as well, and they end.

spawn(process.execPath, [resolve(import.meta.dirname, '../run.ts'), 'test/fuzz/', '--test-concurrency=1'], {
  env: { ...process.env, ...what, FUZZ_SEED: seed },
  stdio: 'inherit',
}).on('exit', (code) => (process.exitCode = code ?? 1))

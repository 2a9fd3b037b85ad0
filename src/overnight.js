#!/usr/bin/env node
// Starts main.ts under a Node that runs TypeScript directly. Plain JavaScript that Node 18 can read: many machines still have an older one.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const main = join(here, 'main.ts')

/** @param {string} version */
function isEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 12)
}

const [command] = process.argv.slice(2).filter((word) => !word.startsWith('-'))

if (isEnough(process.versions.node)) {
  // Reading TypeScript anew is half of what a start costs. In the person's own folder: whoever writes there decides what runs here.
  module.enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'overnight'))
  if (command === 'up' || command === 'server' || command === 'worker') {
    const { keepNativeHeapSmall } = await import('./native-heap.ts')
    keepNativeHeapSmall()
  }
  // Before anything else: else loading the modules leaves 100 MB of it behind.
  const { keepYoungHeapSmall } = await import('./young-heap.ts')
  keepYoungHeapSmall()
  await import(main)
} else {
  const bundled = join(here, '..', 'node_modules', 'node', 'bin', 'node')
  if (existsSync(bundled)) {
    const child = spawn(bundled, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => child.kill(/** @type {NodeJS.Signals} */ (signal)))
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
    })
  } else {
    console.error(
      `overnight: needs Node 24.12 or newer, this is ${process.versions.node}, and node_modules/node has no binary.`,
    )
    console.error('Its install script was blocked: run `npm rebuild node` in this folder (or install a newer Node).')
    process.exitCode = 2
  }
}

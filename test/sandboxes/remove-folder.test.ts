import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, onTestFinished, test } from 'vitest'
import { removeFolder } from '../../src/sandboxes/remove-folder.ts'

function openPlace() {
  const place = mkdtempSync(join(tmpdir(), 'overnight-remove-'))
  onTestFinished(() => rmSync(place, { recursive: true, force: true }))
  chmodSync(place, 0o777)
  return { place, folder: join(place, '-a folder "of" ours') }
}

/** As an agent would, by a user who is not root wherever that can be chosen. */
function asAgent(folder: string, script: string): void {
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  execFileSync('sh', ['-c', `mkdir "$1" && cd "$1" && ${script}`, 'sh', folder], { ...user, cwd: '/' })
}

test('links are removed, and not what they lead to', async () => {
  const { place, folder } = openPlace()
  mkdirSync(folder)
  mkdirSync(join(place, 'kept'))
  writeFileSync(join(place, 'kept', 'file'), 'kept')
  symlinkSync(join(place, 'kept'), join(folder, 'link'))
  await removeFolder(folder)
  expect([existsSync(folder), existsSync(join(place, 'kept', 'file'))]).toEqual([false, true])
  await removeFolder(folder)
})

test('folders that may not be opened, and paths longer than the system takes', async () => {
  const { folder } = openPlace()
  asAgent(folder, 'mkdir -p a/b/c && touch a/b/c/file && chmod 0 a/b/c && chmod 0 a/b && chmod 500 a')
  // Wrapped from outside, because nobody can go down there either.
  const wrap = 'mv in out/a-folder-with-a-name && mv out in && mkdir out'
  asAgent(join(folder, '..', 'deep'), `mkdir in out && for i in $(seq 300); do ${wrap}; done`)
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const program = `import { removeFolder } from ${JSON.stringify(resolve(import.meta.dirname, '../../src/sandboxes/remove-folder.ts'))}; for (const folder of process.argv.slice(1)) await removeFolder(folder)`
  const folders = [folder, join(folder, '..', 'deep')]
  execFileSync(process.execPath, ['--input-type=module', '-e', program, '--', ...folders], { ...user, cwd: '/' })
  expect(folders.filter((path) => existsSync(path))).toEqual([])
})

test('many files neither stop this process nor fill its memory', async () => {
  const { folder } = openPlace()
  mkdirSync(folder)
  const many = `fs.writeFileSync('f', ''); for (let i = 0; i < 6e4; i++) { if (i % 1000 === 0) fs.mkdirSync('d' + i); fs.linkSync('f', 'd' + (i - (i % 1000)) + '/' + i) }`
  execFileSync(process.execPath, ['-e', many], { cwd: folder })
  const delays = monitorEventLoopDelay({ resolution: 10 })
  const before = process.memoryUsage.rss()
  delays.enable()
  await removeFolder(folder)
  delays.disable()
  expect(delays.max / 1e6).toBeLessThan(500)
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024)
  expect(existsSync(folder)).toBe(false)
})

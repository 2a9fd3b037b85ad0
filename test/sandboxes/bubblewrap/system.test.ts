import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ofSystem, readSystem } from '../../../src/sandboxes/bubblewrap/system.ts'

test.each([
  ['/usr', 'bin', true],
  ['/usr', 'lib', true],
  ['/usr', 'libx32', true],
  ['/usr', 'libexec', true],
  ['/usr', 'aarch64-linux-gnu', true],
  ['/usr', 'src', false],
  ['/usr', 'home', false],
  ['/usr', 'my-own-app', false],
  ['/usr', 'bin.old', false],
  ['/usr/local', 'go', true],
  ['/usr/local', 'src', false],
] as const)('in %s the folder %s is of the system: %s', (parent, name, is) => {
  expect(ofSystem(parent, name)).toBe(is)
})

test('of /usr nothing but what is of the system', async () => {
  const { paths } = await readSystem()
  expect(paths).toEqual(expect.arrayContaining(['/usr/bin', '/usr/share']))
  expect(paths.filter((path) => ['/usr', '/usr/local', '/usr/src', '/usr/local/src'].includes(path))).toEqual([])
})

test('a Node in a folder that may be hidden is shown by itself, npm beside it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'overnight-system-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const [node, npm] = [join(root, 'bin/node'), join(root, 'lib/node_modules/npm')]
  await mkdir(join(root, 'bin'))
  await mkdir(npm, { recursive: true })
  await writeFile(node, '')
  const { paths, links } = await readSystem(node)
  expect(paths).toEqual(expect.arrayContaining([node, npm]))
  expect(links).toContainEqual({ path: join(root, 'bin/npm'), target: join(npm, 'bin/npm-cli.js') })
  expect((await readSystem('/usr/local/app/.nvm/bin/node')).paths).toContain('/usr/local/app/.nvm/bin/node')
  expect((await readSystem('/usr/local/bin/node')).paths).not.toContain('/usr/local/bin/node')
})

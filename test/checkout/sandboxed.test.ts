import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createBubblewrapDriver } from '../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { createProcessDriver } from '../../src/sandboxes/process.ts'
import type { SandboxDriver } from '../../src/sandboxes/sandbox.ts'
import { git } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { openCheckout } from '../support/open-checkout.ts'

const bubblewrap = createBubblewrapDriver()
const missing = await bubblewrap.probe()
const drivers: [SandboxDriver, ReturnType<typeof need>][] = [
  [bubblewrap, need(missing === undefined ? undefined : `bubblewrap: ${missing}`)],
  [createProcessDriver(), need(undefined)],
]

/** A checkout, an agent that does what a script says, and the collector, each in a sandbox of `driver`. */
async function open(driver: SandboxDriver) {
  const opened = await openCheckout({ files: { 'README.md': '# Shop\n', 'src/a.ts': 'a\n' } })
  const mounts = opened.checkouts.mountsFor(opened.checkout)
  const agent = async (script: string) => {
    await using sandbox = await driver.open({ run: 'run-1', mounts: mounts.agent })
    const started = await sandbox.spawn(['/bin/sh', '-c', script], {
      cwd: opened.checkout.tree,
      signal: opened.signal,
    })
    started.stdin.end()
    const [out, err, exit] = await Promise.all([text(started.stdout), text(started.stderr), started.exit])
    return { out, err, exit }
  }
  const collect = async () => {
    await using sandbox = await driver.open({ run: 'run-1', mounts: mounts.collector })
    return await opened.checkouts.collectPatch({ checkout: opened.checkout, sandbox, signal: opened.signal })
  }
  return { ...opened, agent, collect, [Symbol.dispose]: () => opened[Symbol.dispose]() }
}

describe.each(drivers)('$name', (driver, { skip, note }) => {
  test.skipIf(skip)(`an agent works with git, and its change is collected${note}`, async () => {
    using opened = await open(driver)
    expect(await opened.collect()).toBeNull()
    const told = await opened.agent(
      'git status --porcelain && echo new > new.txt && git add -A && git commit -qm mine && git log --format=%s && rm -r src',
    )
    expect(told).toMatchObject({ exit: { code: 0 }, out: 'mine\na change\n' })
    const patch = (await opened.collect())!
    await using quarantine = await opened.openPatch(patch)
    expect((await quarantine.changes()).map(({ status, path }) => `${status} ${path}`)).toEqual([
      'added new.txt',
      'deleted src/a.ts',
    ])
  })

  test.skipIf(skip)(`what cannot be read as a change ends by name, and can be removed${note}`, async () => {
    using opened = await open(driver)
    await opened.agent('mkfifo src/pipe; rm README.md; mkfifo README.md; chmod 000 src')
    await expect(opened.collect()).rejects.toMatchObject({ reason: 'patch_invalid' })
    await opened.checkouts.removeFolder(join(opened.folder, 'work', 'run-1'))
    expect(existsSync(opened.checkout.tree)).toBe(false)
  })
})

describe('bubblewrap walls', () => {
  const [driver, { skip, note }] = drivers[0]!

  test.skipIf(skip)(`it can neither see nor spoil what collects, nor the mirror${note}`, async () => {
    using opened = await open(driver)
    const { gitDir, objects } = opened.checkout
    const attack = [
      `ls ${JSON.stringify(gitDir)} && echo seen`,
      `touch ${JSON.stringify(join(objects, 'mine'))} && echo written`,
      `ls ${JSON.stringify(opened.mirror.gitDir)}/refs && echo refs`,
      'git gc --quiet --prune=now; git repack -adq; rm -rf .git; echo done',
    ]
    const told = await opened.agent(attack.join('\n'))
    expect(told.out).toBe('done\n')
    expect(existsSync(join(objects, 'mine'))).toBe(false)
    expect(await opened.collect()).toBeNull()
    expect(git(opened.mirror.gitDir, 'fsck', '--no-dangling')).toBe('')
  })
})

import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSetups } from '../../../src/checkout/setup/index.ts'
import { createBubblewrapDriver } from '../../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { createProcessDriver } from '../../../src/sandboxes/process.ts'
import type { SandboxDriver } from '../../../src/sandboxes/sandbox.ts'
import { createRedaction } from '../../../src/secrets/redaction.ts'
import { openFolder } from '../../support/git-repository.ts'
import { need } from '../../support/need.ts'
import { archiveOf, type Written } from '../../support/tar.ts'

const bubblewrap = createBubblewrapDriver()
const missing = await bubblewrap.probe()
const drivers: [SandboxDriver, ReturnType<typeof need>][] = [
  [bubblewrap, need(missing === undefined ? undefined : `bubblewrap: ${missing}`)],
  [createProcessDriver(), need(undefined)],
]
const roots = ['checkout/tree/deps', 'home/.tool']

/** Runs of one data folder, each in a sandbox and a folder of its own. */
function openRuns(driver: SandboxDriver, maxBytes = 100 * 1024 ** 2) {
  const own = openFolder()
  const setups = createSetups({ folder: join(own.path, 'cache'), maxBytes })
  let count = 0
  return {
    setups,
    cache: join(own.path, 'cache'),
    folder: own.path,
    async open(controller = new AbortController()) {
      const folder = join(own.path, `run ${(count += 1)}`)
      const [tree, home] = [join(folder, 'checkout', 'tree'), join(folder, 'home')]
      mkdirSync(tree, { recursive: true })
      mkdirSync(home)
      const mounts = [tree, home].map((path) => ({ path, write: true }))
      const sandbox = await driver.open({ run: `setup-${count}`, mounts })
      const place = { sandbox, folder, cwd: tree, signal: controller.signal }
      return {
        folder,
        tree,
        place,
        keeping: { ...place, key: 'k', roots },
        sh: async (script: string) => {
          const command = { sandbox, cwd: tree, env: { HOME: home }, signal: controller.signal }
          return setups.run({ ...command, argv: ['/bin/sh', '-ec', script], redact: () => createRedaction().stream() })
        },
        [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
      }
    },
    [Symbol.dispose]: () => own[Symbol.dispose](),
  }
}

/** An entry as somebody may have put it there, whose hash is right. */
function plant(cache: string, ...members: Written[]): void {
  const bytes = archiveOf(...members)
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, 'k.tar'), Buffer.concat([bytes, createHash('sha256').update(bytes).digest()]))
}

describe.each(drivers)('$name', (driver, { skip, note }) => {
  test.skipIf(skip)(`files, links, modes and odd names come back as they were${note}`, async () => {
    using runs = openRuns(driver)
    await using first = await runs.open()
    const long = 'long-'.repeat(40)
    const made = await first.sh(`
      mkdir -p deps/.bin deps/${long}/${long} deps/empty "$HOME/.tool/-x"
      echo a > deps/a; chmod 755 deps/a; ln deps/a deps/same; ln -s ../a deps/.bin/a; ln -s /usr/bin/env deps/env
      echo deep > deps/${long}/${long}/file; printf new > 'deps/a
b	ü"*'; echo t > "$HOME/.tool/-x/t"; echo no > other; touch -d 2020-01-02 deps/a; chmod 500 deps/empty
      echo g > deps/group; chmod 664 deps/group`)
    expect(made).toMatchObject({ exit: { code: 0 } })
    expect(await runs.setups.keep(first.keeping)).toEqual({ bytes: expect.any(Number) as number })

    await using second = await runs.open()
    const list =
      'cd "$HOME/.." && find checkout/tree/deps home/.tool -printf "%p %y %m %l %Ts\\n" | sort; cat checkout/tree/deps/*/*/file'
    expect(await runs.setups.putBack(second.keeping)).toEqual({ bytes: expect.any(Number) as number })
    const [before, after] = [await first.sh(list), await second.sh(list)]
    expect(after.exit).toMatchObject({ code: 0 })
    expect(after.said).toBe(before.said)
    expect(after.said).toContain(long)
    expect(existsSync(join(second.tree, 'other'))).toBe(false)
    expect(readFileSync(join(second.tree, 'deps/a\nb\tü"*'), 'utf8')).toBe('new')
  })

  test.skipIf(skip)('what is not there is left out, and nothing at all is not kept', async () => {
    using runs = openRuns(driver)
    await using one = await runs.open()
    expect(await runs.setups.putBack(one.keeping)).toBeUndefined()
    expect(await runs.setups.keep(one.keeping)).toEqual({ why: 'nothing of it is there' })
    await one.sh('mkdir deps')
    expect(await runs.setups.keep(one.keeping)).toHaveProperty('bytes')
    await using two = await runs.open()
    expect(await runs.setups.putBack(two.keeping)).toHaveProperty('bytes')
    expect([existsSync(join(two.tree, 'deps')), existsSync(join(two.folder, 'home/.tool'))]).toEqual([true, false])
  })

  test.skipIf(skip)('what is too large, or no file, is not kept, and leaves nothing', async () => {
    using runs = openRuns(driver, 4 * 1024 ** 2)
    await using one = await runs.open()
    await one.sh('mkdir deps; head -c 3M /dev/zero > deps/a')
    expect(await runs.setups.keep(one.keeping)).toEqual({ why: 'it is too large' })
    await one.sh('rm deps/a; mkfifo deps/pipe')
    expect(await runs.setups.keep(one.keeping)).toEqual({
      why: 'it holds something that is no file, folder or link: "checkout/tree/deps/pipe"',
    })
    expect(readdirSync(runs.cache).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  test.skipIf(skip).each<[string, Written[]]>([
    ['the way up', [{ name: 'checkout/tree/deps/../../../../out', data: 'x' }]],
    ['a path of the machine', [{ name: '/tmp/overnight-out', data: 'x' }]],
    ['another folder of the run', [{ name: 'checkout/tree/README.md', data: 'x' }]],
    [
      'through a link',
      [
        { name: 'checkout/tree/deps/', type: '5' },
        { name: 'checkout/tree/deps/up', type: '2', link: '../../../..' },
        { name: 'checkout/tree/deps/up/out', data: 'x' },
      ],
    ],
  ])('an entry that writes elsewhere (%s) is not used, and is gone', async (_how, members) => {
    using runs = openRuns(driver)
    plant(runs.cache, { name: 'checkout/tree/deps', type: '5' }, ...members)
    await using one = await runs.open()
    expect(await runs.setups.putBack(one.keeping)).toEqual({
      why: expect.stringMatching(/^it (holds|writes) "/) as string,
    })
    expect(readdirSync(one.tree)).toEqual([])
    expect(existsSync(join(runs.folder, 'out')) || existsSync('/tmp/overnight-out')).toBe(false)
    expect(await runs.setups.putBack(one.keeping)).toBeUndefined()
  })

  test.skipIf(skip)('what is broken, or cannot be put back, is gone, and nothing of it stays', async () => {
    using runs = openRuns(driver)
    plant(runs.cache, { name: 'checkout/tree/deps', type: '5' })
    writeFileSync(join(runs.cache, 'k.tar'), 'x', { flag: 'a' })
    await using one = await runs.open()
    expect(await runs.setups.putBack(one.keeping)).toEqual({ why: 'it was broken' })
    plant(
      runs.cache,
      { name: 'checkout/tree/deps/', type: '5' },
      { name: 'checkout/tree/deps/a', data: 'x' },
      { name: 'checkout/tree/deps/a/b', data: 'x' },
    )
    expect(await runs.setups.putBack(one.keeping)).toEqual({
      why: expect.stringMatching(/^tar ended with \d+: /) as string,
    })
    expect([readdirSync(one.tree), readdirSync(runs.cache)]).toEqual([[], []])
  })

  test.skipIf(skip)('who is stopped hears so, and leaves nothing half', async () => {
    using runs = openRuns(driver)
    const stop = new AbortController()
    await using one = await runs.open(stop)
    await one.sh('mkdir deps; head -c 20M /dev/zero > deps/a')
    const keeping = runs.setups.keep(one.keeping)
    stop.abort(new Error('stopped'))
    await expect(keeping).rejects.toThrow('stopped')
    expect(existsSync(runs.cache) ? readdirSync(runs.cache) : []).toEqual([])
    await expect(one.sh('true')).rejects.toThrow('stopped')
  })

  test.skipIf(skip)('of what a step says both ends are kept, without what is secret', async () => {
    using runs = openRuns(driver)
    await using one = await runs.open()
    const redaction = createRedaction()
    redaction.learn({ name: 'KEY', value: 'a-secret-of-ours' })
    const script = `printf 'first a-secret-'; echo 'of-ours'; seq 1 100000; echo last; echo and-this >&2; exit 7`
    const { place } = one
    const { exit, said } = await runs.setups.run({
      ...place,
      env: {},
      argv: ['/bin/sh', '-c', script],
      redact: () => redaction.stream(),
    })
    expect(exit).toMatchObject({ code: 7 })
    expect(said).toMatch(/^(and-this\n)?first \[secret KEY\]\n1\n2\n[^]*\n… [\d,]+ characters …\n[^]*\nlast\n/)
    expect(said).toContain('and-this')
    expect(said.length).toBeLessThan(9000)
    expect(lstatSync(one.tree).isDirectory()).toBe(true)
  })
})

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDesk, type Desk } from '../support/claude/desk.ts'
import { openModel, realKey, use } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { sandboxes } from '../support/crew.ts'
import { spoken } from '../support/spoken.ts'

/** Does not hold what it looks for. Says `saw` for each thing searched, so that nothing found is known from nothing looked at. */
const pattern = realKey.replace('planted', '[p]lanted')
const look = (name: string, command: string) =>
  `echo "${name} $(${command} | LC_ALL=C grep -ac . ) $(${command} | LC_ALL=C grep -ac '${pattern}')"`
const [half, rest] = [realKey.slice(0, 20), realKey.slice(20)]
const own = [
  look('proof', `printf '%s%s\\n' '${half}' '${rest}'`),
  look('env', 'env'),
  look(
    'processes',
    `cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/mountinfo 2>/dev/null | tr '\\0' '\\n'`,
  ),
  look('checkout', 'cat .git/config .git/HEAD README.md'),
  look('git', 'git config --list'),
  look('home', 'find "$HOME" -type f -exec cat {} +'),
  look(
    'relay',
    `node -e "for (const path of ['/', '/v1/models', '/v1/messages', '/v1/files', '/?x']) for (const key of ['', process.env.ANTHROPIC_API_KEY]) fetch(process.env.ANTHROPIC_BASE_URL + path, { headers: { 'x-api-key': key } }).then(async (a) => console.log(JSON.stringify([...a.headers]), await a.text()), console.log)"`,
  ),
]
/** Every file there is, of the system, too. */
const machine = `echo "files $(find / -xdev -type f 2>/dev/null | grep -c .) $(LC_ALL=C grep -rls '${pattern}' / --exclude-dir=proc --exclude-dir=sys | grep -c .)"`

type Saw = Record<string, { looked: number; found: number }>

async function searchWith(desk: Desk): Promise<Saw> {
  const { events, stopped } = await desk.tell('search')
  expect(stopped.code).toBe(0)
  expect(JSON.stringify(events)).not.toContain(realKey)
  const answer = spoken(events.find((event) => 'toolCallId' in event && event.status !== 'in_progress')!)
  return Object.fromEntries(
    answer
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, looked, found]) => [name, { looked: Number(looked), found: Number(found) }]),
  )
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

describe.skipIf(claude.skip).for(sandboxes)(
  `the real key, searched for in $title${claude.note}`,
  ({ sandbox, skip }) => {
    test.skipIf(skip)('is nowhere', { timeout: 120_000 }, async () => {
      const walled = sandbox === 'bubblewrap'
      // Without walls an agent reads what its user can; there, what it was handed is searched.
      const mine = walled ? own : own.filter((line) => !line.includes('echo "processes'))
      const command = [...mine, ...(walled ? [machine] : [look('argv', `tr '\\0' '\\n' < /proc/$PPID/cmdline`)])].join(
        '\n',
      )
      await using model = await openModel({
        search: ({ step }) =>
          step === 0 ? use('Bash', { command, timeout: 110_000 }) : { content: 'Looked everywhere.' },
      })
      await using desk = await openDesk({ model: model.url, sandbox })
      const { proof, ...saw } = await searchWith(desk)
      expect(proof).toEqual({ looked: 1, found: 1 })
      expect(Object.keys(saw)).toEqual([
        'env',
        ...(walled ? ['processes'] : []),
        'checkout',
        'git',
        'home',
        'relay',
        walled ? 'files' : 'argv',
      ])
      expect(Object.values(saw).map(({ found }) => found)).toEqual(Object.values(saw).map(() => 0))
      for (const { looked } of Object.values(saw)) expect(looked).toBeGreaterThan(1)
      // It worked, so the key was used; and what the run left on disk does not hold it.
      expect(model.requests().map(({ status }) => status)).toEqual([200, 200])
      const left = await filesBelow(desk.folder)
      expect(left.length).toBeGreaterThan(10)
      for (const file of left)
        expect({ file, holds: (await readFile(file)).includes(realKey) }).toEqual({ file, holds: false })
    })
  },
)

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseOrRefuse } from '../../../src/routines/reading/read.ts'
import { problemsOf, readGood, readOptions, routineText } from './reading.ts'

const everyKey = readFileSync(join(import.meta.dirname, '../every-key.md'), 'utf8')

describe('a valid file', () => {
  test('with nothing but a repository, a command and a prompt has every default', () => {
    const text = routineText()
    expect(readGood(text)).toEqual({
      name: 'x',
      file: '/srv/routines/x.md',
      source: text,
      hash: createHash('sha256').update(text).digest('hex'),
      commit: null,
      description: '',
      prompt: 'Tidy up.',
      schedules: [],
      github: [],
      api: false,
      repository: './shop',
      base: null,
      checkout: 'base',
      engine: { name: 'command', command: ['tidy'], model: null, effort: null },
      setup: [],
      inputs: {},
      sandbox: null,
      network: 'none',
      needsWalls: false,
      limits: { minutes: 60, usd: null, turns: null, atOnce: null },
      caps: {},
      overlap: { mode: 'queue_one', parallel: 1 },
      concurrency: null,
      debounce: null,
      pace: null,
      pauseAfter: 5,
      topic: 'main',
      catchUp: { mode: 'last', maxAgeMs: 6 * 3_600_000, max: 100 },
      pullRequest: { draft: true, labels: [], reviewers: [], title: null },
      gate: { paths: null, maxFiles: 100, maxBytes: 4 * 1024 * 1024 },
      unavailable: [],
      connectors: [],
      webhooks: [],
      after: [],
    })
  })

  test('says all that is available', () => {
    const routine = readGood(
      routineText(`description: Tidy
on:
  schedule:
    - { cron: "0 2 * * 1-5" }
    - { cron: "30 4 * * *", timezone: Asia/Tokyo }
  api: true
base: release/1.x
setup: [{ run: npm ci, when: package-lock.json, keep: [node_modules, ~/.npm] }, { run: [make, -C, a b] }]
inputs:
  scope: { default: all, description: Which packages }
  depth: { type: number, default: 2 }
  dry: { type: boolean, required: false }
sandbox: bubblewrap
network: none
limits: { minutes: 0.5, at_once: 4 }
overlap: { parallel: 3 }
concurrency: 'pr {{ event.number }}'
debounce: { wait: 2m }
pace: { jitter: 10m, cooldown: 30m, max: { runs: 10, per: 1d }, not_between: [{ from: "22:00", to: "06:30", days: "sat-sun,wed" }] }
pause_after: 0
catch_up: { mode: last, max_age: 90m }
topic: dependencies
output: { pull_request: { draft: false, labels: [a, b], reviewers: [ada], title: Tidy, paths: [src/**, '!src/gen/**'], max_files: 500, max_size: 16MB } }`),
    )
    expect(routine).toMatchObject({
      schedules: [
        { cron: '0 2 * * 1-5', timezone: 'Europe/Berlin' },
        { cron: '30 4 * * *', timezone: 'Asia/Tokyo' },
      ],
      api: true,
      base: 'release/1.x',
      setup: [
        { run: 'npm ci', when: ['package-lock.json'], keep: ['node_modules', '~/.npm'] },
        { run: ['make', '-C', 'a b'], when: [], keep: [] },
      ],
      inputs: {
        scope: { type: 'string', default: 'all', description: 'Which packages', required: false },
        depth: { type: 'number', default: 2, required: false },
        dry: { type: 'boolean', required: false },
      },
      sandbox: 'bubblewrap',
      limits: { minutes: 0.5, atOnce: 4 },
      overlap: { mode: 'queue_all', parallel: 3 },
      concurrency: 'pr {{ event.number }}',
      debounce: { waitMs: 120_000, maxMs: 600_000 },
      pace: {
        zone: 'Europe/Berlin',
        jitterMs: 600_000,
        cooldownMs: 1_800_000,
        max: { runs: 10, perMs: 86_400_000 },
        notBetween: [{ days: [0, 3, 6], fromMinute: 1320, minutes: 510 }],
      },
      pauseAfter: 0,
      topic: 'dependencies',
      catchUp: { mode: 'last', maxAgeMs: 5_400_000, max: 100 },
      pullRequest: { draft: false, labels: ['a', 'b'], reviewers: ['ada'], title: 'Tidy' },
      gate: { paths: ['src/**', '!src/gen/**'], maxFiles: 500, maxBytes: 16 * 1024 * 1024 },
      unavailable: [],
    })
  })

  test('with every key passes, and names what cannot be done yet, each at its place', () => {
    const { unavailable } = readGood(everyKey)
    expect(unavailable.map(({ key, line, column }) => `${line}:${column} ${key}`)).toEqual(['26:1 success'])
  })

  test.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    ['spaces after the fences', (text: string) => text.replaceAll('---\n', '---  \n')],
    ['blank lines around the prompt', (text: string) => text.replace('Update', '\n \nUpdate').concat('\n\n')],
  ])('reads the same with %s', (_what, change) => {
    const { source, hash, file, ...same } = readGood(everyKey)
    const changed = readGood(change(everyKey))
    expect({ ...changed, source, hash, file }).toEqual({ source, hash, file, ...same })
    expect(changed.source).toBe(change(everyKey))
    expect(changed.hash).not.toBe(hash)
  })

  test('may leave the prompt to its command', () => {
    expect(readGood(routineText('', '')).prompt).toBe('')
  })

  test('keeps a --- line of the prompt, and takes no prompt line for front matter', () => {
    expect(readGood(routineText('', 'One\n---\nrepository: 3\n---')).prompt).toBe('One\n---\nrepository: 3\n---')
  })

  test('needs no repository when nothing goes there, or when the occasion brings one', () => {
    const engine = 'engine: { name: command, command: [tidy] }'
    expect(readGood(`---\noutput: report\n${engine}\n---\nx`).repository).toBeNull()
    expect(parseOrRefuse('x.md', `---\n${engine}\n---\nx`, readOptions).repository).toBeNull()
    expect(() => parseOrRefuse('x.md', '---\nnope: 1\n---\nx', readOptions)).toThrow('x.md:2:1: unknown key "nope"')
  })

  test('takes the engine of the house', () => {
    const text = '---\nrepository: ./shop\n---\nx'
    expect(readGood(text)).toMatchObject({ engine: { name: 'claude', command: [] }, unavailable: [] })
    expect(readGood(text, { ...readOptions, defaultEngine: 'codex' }).unavailable).toMatchObject([
      { key: 'engine', line: 2, column: 1 },
    ])
    expect(problemsOf(text, 'x.md', { ...readOptions, defaultEngine: 'command' })).toEqual([
      'x.md:2:1: the engine command needs a command – write engine: { name: command, command: [program, argument] }',
    ])
  })

  test('has schedules in three kinds of words', () => {
    const [nine, late, once, instant] = readGood(
      routineText(
        'on:\n  schedule:\n    - { every: "weekday at 9:00 and 17:30", timezone: Asia/Tokyo }\n    - { at: 2026-12-01T09:00, timezone: Asia/Tokyo }\n    - at: 2026-12-01T09:00+01:00',
      ),
    ).schedules
    expect([nine, late].map((schedule) => schedule?.cron)).toEqual(['0 9 * * 1-5', '30 17 * * 1-5'])
    expect(nine?.written).toBe('every weekday at 9:00 and 17:30')
    expect(late?.written).toBe(nine?.written)
    expect(once).toEqual({ cron: '@at 2026-12-01T09:00', timezone: 'Asia/Tokyo', written: 'at 2026-12-01T09:00' })
    expect(instant?.cron).toBe('@at 2026-12-01T08:00Z')
  })

  test('may repeat a value by an alias', () => {
    const [first, second] = readGood(
      routineText(
        'on:\n  schedule:\n    - { cron: "0 1 * * *", timezone: &zone Asia/Tokyo }\n    - { cron: "0 2 * * *", timezone: *zone }',
      ),
    ).schedules
    expect([first?.timezone, second?.timezone]).toEqual(['Asia/Tokyo', 'Asia/Tokyo'])
  })
})

describe('the engine claude', () => {
  test.each([
    ['engine: claude', { model: null, effort: null }, { usd: null, turns: null }],
    [
      'engine: { name: claude, model: opus, effort: high }',
      { model: 'opus', effort: 'high' },
      { usd: null, turns: null },
    ],
    ['engine: claude\nlimits: { usd: 2.5, turns: 40 }', { model: null, effort: null }, { usd: 2.5, turns: 40 }],
  ])('%j has its model, its effort and its limits', (lines, engine, limits) => {
    expect(readGood(`---\nrepository: ./shop\n${lines}\n---\nTidy up.`)).toMatchObject({
      engine: { name: 'claude', command: [], ...engine },
      limits: { minutes: 60, ...limits },
      unavailable: [],
    })
  })
})

describe('what cannot be done yet', () => {
  test.each([
    ['sandbox: kubernetes', 'sandbox'],
    ['limits: { usd: 1 }', 'limits.usd'],
    ['limits: { turns: 1 }', 'limits.turns'],
    ['output: report', 'output'],
    ['output: { issue: true }', 'output.issue'],
    ['success: [{ run: npm test }]', 'success'],
  ])('%s', (frontMatter, key) => {
    expect(readGood(routineText(frontMatter)).unavailable).toMatchObject([{ key, file: '/srv/routines/x.md', line: 4 }])
  })

  test.each(['gemini', '{ name: codex, model: gpt, effort: high }', '{ name: acp, command: [agent] }'])(
    'engine: %s',
    (engine) => {
      expect(readGood(`---\nrepository: ./x\nengine: ${engine}\n---\nx`).unavailable).toMatchObject([
        { key: 'engine', line: 3 },
      ])
    },
  )

  test('several repositories', () => {
    const text = `---\nrepository: [./a, ./b]\nengine: { name: command, command: [tidy] }\n---\nx`
    expect(readGood(text).unavailable).toMatchObject([{ key: 'repository', line: 2 }])
  })

  // Whether an address is at the forge in use is known only where the forge is.
  const onForges = ['acme/shop', 'https://example.com/acme/shop.git', 'git@example.com:acme/shop.git']
  test.each([...onForges, '.', '..', './acme/shop', '/srv/acme/shop', '../a/b', 'shop', 'über uns/läden', '~/shop'])(
    'the repository %s is available',
    (path) => {
      const text = `---\nrepository: ${path}\nengine: { name: command, command: [tidy] }\n---\nx`
      expect(readGood(text)).toMatchObject({ repository: path, unavailable: [] })
    },
  )

  test('empty lists ask for nothing', () => {
    expect(readGood(routineText('network: []\nsuccess: []\nconnectors: []'))).toMatchObject({
      network: 'none',
      unavailable: [],
    })
  })
})

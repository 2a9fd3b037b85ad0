import { appendFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { git, writeFiles } from '../support/git-repository.ts'
import { notesOf, openCrew, sandboxes, until, type Crew } from '../support/crew.ts'

// What is done before the agent starts.
let crew: Crew
beforeAll(async () => {
  crew = await openCrew({ OVERNIGHT_SETUP_CANARY: 'of the operator', OVERNIGHT_SETUP_CACHE_MB: '8' })
})
afterAll(() => crew[Symbol.asyncDispose]())

function commitFiles(repository: string, files: Record<string, string>): void {
  writeFiles(repository, files)
  git(repository, 'add', '--all')
  git(repository, 'commit', '--quiet', '--message', 'more')
}

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  const start = (name: string, setup: unknown[], sh: string, more = {}) =>
    crew.start(`${name}-${sandbox}`, { sh, more: { sandbox, setup, ...more } })
  const run = async (name: string, setup: unknown[], sh: string, more = {}) => {
    const ended = await crew.settled(await start(name, setup, sh, more))
    await crew.nothingLeft(ended.run)
    return ended
  }

  test.skipIf(skip)('what setup leaves in the checkout and in HOME is there for the agent', async () => {
    const setup = [
      { run: 'mkdir -p made ~/.tool; echo one > made/a; echo two > ~/.tool/b; echo done; env > made/env' },
      { run: ['sh', '-c', 'echo "$1" > made/c', 'sh', 'a b $HOME'] },
      // The way out is the agent's.
      { run: 'git fetch --quiet origin' },
    ]
    const ended = await run('leaves', setup, 'cat made/a ~/.tool/b made/c; env | grep -c OVERNIGHT_PROMPT_FILE', {
      network: ['allowed.example'],
    })
    expect(ended).toMatchObject({ state: 'published', files: 3 })
    expect(await crew.said(ended.run)).toBe('one\ntwo\na b $HOME\n1\n')
    expect(await crew.diff(ended.run)).not.toMatch(/OVERNIGHT_(PROMPT|EVENT|INPUTS)_FILE|of the operator/)
    expect(await notesOf(crew, ended.run)).toEqual([
      expect.stringMatching(/^setup: mkdir -p made .*… \(\d\.\d s\)$/),
      expect.stringMatching(/^setup: sh -c .*\(\d\.\d s\)$/),
      expect.stringMatching(/^setup: git fetch .*\(\d\.\d s\)$/),
    ])
    const page = await (await crew.service.fetch(`/runs/${ended.run}`)).text()
    expect(page).toContain('setup: mkdir')
  })

  test.skipIf(skip)('the first step that fails ends the run, in its own words, and no agent is started', async () => {
    const lines = [{ run: 'echo before; false\necho after' }, { run: 'echo never' }]
    const [ended, stopped, missing] = await Promise.all([
      run('fails', [{ run: 'echo why not >&2; exit 3' }, ...lines], 'echo agent > README.md'),
      run('stops', lines, 'true'),
      run('missing', [{ run: ['no-such-program'] }], 'true'),
    ])
    expect(ended).toMatchObject({
      state: 'failed',
      reason: 'setup',
      sandbox,
      message: 'echo why not >&2; exit 3 ended with code 3, saying “why not”',
      files: null,
    })
    expect(await crew.said(ended.run)).toBe('')
    expect(await (await crew.service.fetch(`/runs/${ended.run}`)).text()).toMatch(/why not[^]*Read in the story/)
    expect(stopped).toMatchObject({ reason: 'setup', message: expect.stringContaining('saying “before”') })
    expect(missing).toMatchObject({
      reason: 'setup',
      message: expect.stringMatching(/no-such-program could not be started: .*found inside the sandbox – install/),
    })
  })

  test.skipIf(skip)('the time limit and a person end it as they end an agent', async () => {
    const setup = [{ run: 'echo changed > README.md; (setsid sleep 600 &); sleep 600' }]
    const late = await start('late', setup, 'true', { limits: { minutes: 0.02 } })
    const stopped = await start('stopped', setup, 'true')
    await until(20, async () =>
      (await (await crew.service.fetch(`/runs/${stopped}`)).text()).includes('setup: echo') ? [] : ['silence'],
    )
    await crew.service.post(`/v1/runs/${stopped}/cancel`)
    expect(await crew.settled(stopped)).toMatchObject({ state: 'cancelled' })
    expect(await crew.settled(late)).toMatchObject({ state: 'timed_out', reason: 'time_limit' })
    for (const one of [late, stopped]) await crew.nothingLeft(one)
  })

  describe.skipIf(skip)('what is kept', () => {
    /** Every run says how often setup was really run, and the agent spoils what it was given. */
    const setup = [
      {
        run: 'mkdir -p deps/.bin ~/.tool; date +%s%N > deps/made; ln -s ../made deps/.bin/x; echo t > ~/.tool/t',
        when: 'lock*',
        keep: ['deps/', '~/.tool'],
      },
      { run: 'cat deps/made lock.json > built', when: 'lock.json', keep: 'built' },
    ]
    const spoils = 'cat deps/.bin/x ~/.tool/t built; echo spoilt > deps/made; rm -rf ~/.tool; cat lock.json > README.md'
    const files = { 'README.md': '# Shop', 'lock.json': 'one', '.gitignore': 'deps\nbuilt\n' }

    test('is there for the next run as setup left it, until a file changes that decides', async () => {
      const repository = crew.repository(`kept/${sandbox}`, files)
      const agent = { repository, sh: spoils, more: { sandbox, setup } }
      const first = await crew.run(`kept-${sandbox}`, agent)
      const second = await crew.run(`kept-too-${sandbox}`, agent)
      const [said, again] = [await crew.said(first.run), await crew.said(second.run)]
      expect(said).toMatch(/^(\d+)\nt\n\1\none$/)
      expect(again).toBe(said)
      expect([first.files, second.files]).toEqual([1, 1])
      expect(await notesOf(crew, first.run)).toEqual([
        expect.stringMatching(/^setup: mkdir .* \(\d\.\d s, 0\.0 MB kept\)$/),
        expect.stringMatching(/^setup: cat .* \(\d\.\d s, 0\.0 MB kept\)$/),
      ])
      expect(await notesOf(crew, second.run)).toEqual([
        expect.stringMatching(/^setup: kept result of mkdir .* used \(\d\.\d s, 0\.0 MB\)$/),
        expect.stringMatching(/^setup: kept result of cat .* used \(\d\.\d s, 0\.0 MB\)$/),
      ])
      commitFiles(repository, { 'lock.json': 'two', 'other.txt': 'x' })
      const third = await crew.run(`kept-${sandbox}`, agent)
      expect(await crew.said(third.run)).toMatch(/^(\d+)\nt\n\1\ntwo$/)
      expect(await crew.said(third.run)).not.toContain(said.split('\n')[0])
    })

    test.skipIf(sandbox !== 'process')(
      'is made anew where it is broken; two at once harm nobody; what is too large is said',
      async () => {
        const repository = crew.repository(`broken/${sandbox}`, files)
        const one = { run: 'mkdir deps; echo made > deps/made', when: 'lock.json', keep: 'deps' }
        const large = { run: 'head -c 5M /dev/zero > built', when: 'lock.json', keep: 'built' }
        const agent = { repository, sh: 'cat deps/made', more: { sandbox, setup: [one, large] } }
        const both = await Promise.all([crew.run(`two-${sandbox}`, agent), crew.run(`two-too-${sandbox}`, agent)])
        const cache = join(crew.place.data, 'cache', 'setup')
        for (const name of await readdir(cache)) await appendFile(join(cache, name), 'x')
        const third = await crew.run(`two-${sandbox}`, agent)
        for (const { run, state } of [...both, third]) {
          expect([state, await crew.said(run)]).toEqual(['unchanged', 'made\n'])
        }
        expect(await notesOf(crew, third.run)).toEqual([
          expect.stringMatching(
            /^setup: mkdir deps; .* \(.* s, what was kept could not be used: it was broken, .* MB kept\)$/,
          ),
          expect.stringMatching(/^setup: head .* \(.* s, not kept: it is too large\)$/),
        ])
        expect((await readdir(cache)).filter((name) => !name.endsWith('.tar'))).toEqual([])
      },
    )
  })
})

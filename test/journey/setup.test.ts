import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notesOf, openCrew, sandboxes, until, type Crew } from '../support/crew.ts'

// What is done before the agent starts.
let crew: Crew
beforeAll(async () => {
  crew = await openCrew({ OVERNIGHT_SETUP_CANARY: 'of the operator' })
})
afterAll(() => crew[Symbol.asyncDispose]())

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  const start = (name: string, setup: unknown[], sh: string, more = {}) =>
    crew.start(`${name}-${sandbox}`, { sh, more: { sandbox, setup, ...more } })
  const run = async (name: string, setup: unknown[], sh: string) => {
    const ended = await crew.settled(await start(name, setup, sh))
    await crew.nothingLeft(ended.run)
    return ended
  }

  test.skipIf(skip)('what setup leaves in the checkout and in HOME is there for the agent', async () => {
    const setup = [
      { run: 'mkdir -p made ~/.tool; echo one > made/a; echo two > ~/.tool/b; echo done; env > made/env' },
      { run: ['sh', '-c', 'echo "$1" > made/c', 'sh', 'a b $HOME'] },
    ]
    const ended = await run('leaves', setup, 'cat made/a ~/.tool/b made/c; env | grep -c OVERNIGHT_PROMPT_FILE')
    expect(ended).toMatchObject({ state: 'published', files: 3 })
    expect(await crew.said(ended.run)).toBe('one\ntwo\na b $HOME\n1\n')
    expect(await crew.diff(ended.run)).not.toMatch(/OVERNIGHT_(PROMPT|EVENT|INPUTS)_FILE|of the operator/)
    expect(await notesOf(crew, ended.run)).toEqual([
      expect.stringMatching(/^setup: mkdir -p made .*… \(\d\.\d s\)$/),
      expect.stringMatching(/^setup: sh -c .*\(\d\.\d s\)$/),
    ])
    const page = await (await crew.service.fetch(`/runs/${ended.run}`)).text()
    expect(page).toContain('setup: mkdir')
  })

  test.skipIf(skip)('the first step that fails ends the run, in its own words, and no agent is started', async () => {
    const setup = [{ run: 'echo before; false\necho after' }, { run: 'echo never' }]
    const ended = await run('fails', [{ run: 'echo why not >&2; exit 3' }, ...setup], 'echo agent > README.md')
    expect(ended).toMatchObject({
      state: 'failed',
      reason: 'setup',
      sandbox,
      message: 'setup: echo why not >&2; exit 3 ended with code 3, saying “why not”',
      files: null,
    })
    expect(await crew.said(ended.run)).toBe('')
    expect(await (await crew.service.fetch(`/runs/${ended.run}`)).text()).toMatch(/why not[^]*Read in the story/)
    const lines = await run('stops', setup, 'true')
    expect(lines).toMatchObject({ reason: 'setup', message: expect.stringContaining('saying “before”') })
    expect(await run('missing', [{ run: ['no-such-program'] }], 'true')).toMatchObject({
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
})

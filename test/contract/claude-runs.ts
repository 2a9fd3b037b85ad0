import { expect, test } from 'vitest'
import { use, type Scenarios } from '../support/claude/model.ts'
import { until, type Agent, type Crew, type Settled } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'

/** What the model of these stories says. */
export const claudeScenarios: Scenarios = {
  note: ({ step }) =>
    [
      use(
        'Bash',
        { command: 'echo "<script>alert(1)</script>" > note.md', description: 'Write it' },
        'I will look around.',
      ),
      use('Bash', { command: 'cat note.md no-such-file' }),
    ][step] ?? { content: '## Wrote the note that was missing\n\nAll is well.' },
  sleeps: ({ step }) =>
    step === 0 ? use('Bash', { command: 'tail -f /dev/null', timeout: 60_000 }) : { content: 'Slept.' },
}

export const claudeAgent = (scenario: string, sandbox: string, more: Record<string, unknown> = {}): Agent => ({
  prompt: `SCENARIO:${scenario} please`,
  more: { engine: 'claude', sandbox, ...more },
})

type Spent = Settled & {
  costUsd: number | null
  tokens: { input: number; output: number } | null
}
export const spent = (crew: Crew, run: { run: string }) => crew.service.get<Spent>(`/v1/runs/${run.run}`)

/** How many tools it was told of by now. */
export async function toolsOf(service: Pick<Crew['service'], 'fetch'>, run: string): Promise<number> {
  const events = await (await service.fetch(`/v1/runs/${run}/events?follow=no`)).text()
  return events.split('event: tool_call\n').length - 1
}

/** Runs of the real Claude Code, which has its model from the relay alone. */
export function claudeStories(sandbox: string, crew: () => Crew): void {
  test('one pull request, with what it cost; the same again is still one', async () => {
    const repository = crew().repository(`shop-${sandbox}`)
    const ended = await crew().run(`note-${sandbox}`, { ...claudeAgent('note', sandbox), repository })
    expect(ended).toMatchObject({ state: 'published', sandbox, title: 'Wrote the note that was missing', files: 1 })
    const branch = `overnight/note-${sandbox}/main`
    expect(git(repository, 'show', `${branch}:note.md`)).toBe('<script>alert(1)</script>')
    expect(git(repository, 'rev-parse', branch)).toBe(ended.commit)

    const bill = await spent(crew(), ended)
    expect(bill).toMatchObject({ engine: 'claude', tokens: { input: 3000, output: 600, cacheRead: 0, cacheWrite: 0 } })
    expect(bill.costUsd).toBeGreaterThan(0.001)

    const page = await (await crew().service.fetch(`/runs/${ended.run}`)).text()
    expect(page).toContain('3,000 in; 600 out')
    expect(page).toMatch(/<dt>Session<\/dt>\s*<dd><code>[\w-]{36}/)
    expect(page).toMatch(/<span class="what">Bash cat note.md no-such-file<\/span>\s*<b>failed<\/b>/)
    expect(page).toContain('&lt;script&gt;alert(1)')
    expect(page).not.toContain('<script>alert')
    const logs = await crew().place.overnight(['logs', ended.run])
    expect(logs.stdout).toMatch(
      /I will look around\.\n── Bash echo[^\n]*\n── Bash cat note\.md no-such-file\n── failed: Bash cat/,
    )

    const again = await crew().run(`note-${sandbox}`, { ...claudeAgent('note', sandbox), repository })
    expect(again).toMatchObject({ state: 'unchanged', pullRequest: { number: 1 }, commit: ended.commit })
  })

  test('cancelled at work: billed, and nothing of it is left', async () => {
    const run = await crew().start(`sleeps-${sandbox}`, claudeAgent('sleeps', sandbox))
    await until(30, async () =>
      (await crew().said(run)) === '' && (await toolsOf(crew().service, run)) === 0 ? ['no tool yet'] : [],
    )
    await crew().service.post(`/v1/runs/${run}/cancel`)
    expect(await crew().settled(run)).toMatchObject({ state: 'cancelled', reason: 'cancelled' })
    await crew().nothingLeft(run)
    expect((await spent(crew(), { run })).tokens).toMatchObject({ input: 1000, output: 200 })
  })
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createBubblewrapDriver } from '../../src/sandboxes/bubblewrap/bubblewrap.ts'
import { openModel, realKey, use } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { fleetMissing, openFleet } from '../support/fleet.ts'
import { git } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { untilSettled } from '../support/service-process.ts'

const walls = await createBubblewrapDriver().probe()
const parts = need(fleetMissing ?? (walls === undefined ? undefined : `bubblewrap: ${walls}`))

test.skipIf(parts.skip || claude.skip)(
  `repository: owner/name and engine: claude end in one draft pull request, billed; the same occasion again: still one${parts.note}${claude.note}`,
  async () => {
    await using model = await openModel({
      notes: ({ step }) =>
        step === 0
          ? use('Bash', { command: 'env; cat .git/config; printf "b\\na\\n" | sort > notes.md' }, 'I will look around.')
          : { content: 'Sorted the notes of the shop' },
    })
    await using fleet = await openFleet({
      repositories: ['acme/shop'],
      env: {
        PATH: `${claude.folder}:${process.env['PATH'] ?? ''}`,
        ANTHROPIC_API_KEY: realKey,
        ANTHROPIC_BASE_URL: model.url,
      },
    })
    fleet.routine('notes', {
      repository: 'acme/shop',
      prompt: 'SCENARIO:notes Sort the notes.',
      more: {
        engine: { name: 'claude', model: 'opus' },
        sandbox: 'bubblewrap',
        limits: { minutes: 5, usd: 5, turns: 8 },
      },
    })
    const worker = await fleet.worker()
    const fire = () =>
      fleet.server.post<{ run: string }>('/v1/routines/notes/fire', {}, { 'idempotency-key': 'tonight' })
    const { run } = await fire()
    const ended = await untilSettled(fleet.server, run)
    expect(ended).toMatchObject({ state: 'published', title: 'Sorted the notes of the shop', sandbox: 'bubblewrap' })
    expect(await fire()).toMatchObject({ run })

    const pulls = await fleet.github.act('pulls', 'acme/shop')
    expect(pulls).toMatchObject([{ state: 'open', draft: true, head: { ref: ended.branch, sha: ended.commit } }])
    expect(git(fleet.github.repositories['acme/shop']!, 'rev-parse', `refs/heads/${ended.branch}`).trim()).toBe(
      ended.commit,
    )
    expect(fleet.github.lines().filter(({ kind }) => kind === 'violation')).toEqual([])
    const { costUsd, tokens } = await fleet.server.get<{ costUsd: number; tokens: { input: number } }>(
      `/v1/runs/${run}`,
    )
    expect(costUsd).toBeGreaterThan(0)
    expect(tokens.input).toBeGreaterThan(0)

    const kept = [fleet.server.log(), worker.log(), ...(await filesBelow(fleet.data))].join('\n')
    expect(kept).toContain('I will look around.')
    for (const secret of [realKey, 'ghs_', fleet.github.tokens.owner]) expect(kept).not.toContain(secret)
  },
)

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')))
}

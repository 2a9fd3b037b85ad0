import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FenceLost } from '../../src/errors.ts'
import { createLocalForge } from '../../src/forges/local.ts'
import type { Forge } from '../../src/forges/forge.ts'
import { publish, type Published, type PublishRequest } from '../../src/publish/publish.ts'
import { runOfMarker } from '../../src/publish/subject.ts'
import { createRedaction } from '../../src/secrets/redaction.ts'
import { commitFiles, createOperator, git, writeFiles, type Files } from '../support/git-repository.ts'
import { openHostSandbox } from '../support/host-sandbox.ts'
import { openCheckout } from '../support/open-checkout.ts'
import { createPullRecords } from '../support/pull-records.ts'

const createdAt = new Date('2026-01-02T02:00:00Z')

/** A repository on which runs of one routine publish, each from its own checkout of the base as it then is. */
async function openHouse() {
  const opened = await openCheckout()
  const pulls = createPullRecords()
  const forge = createLocalForge({ operator: createOperator(opened.folder), pulls })
  const pushed = new Map<string, string>()
  const { checkouts, signal, folder } = opened
  const { repository } = opened.mirror

  /** Publishes what `files` changes; `rest` may replace any part of the request. */
  async function run(id: string, files: Files, rest: Partial<PublishRequest> = {}): Promise<Published> {
    const mirror = await checkouts.ensureMirror({ root: join(folder, 'mirrors'), repository, signal })
    const base = await checkouts.resolveBase(mirror, 'main')
    const checkout = await checkouts.createCheckout({ mirror, base, folder: join(folder, 'work', id), signal })
    writeFiles(checkout.tree, files)
    const patch = (await checkouts.collectPatch({ checkout, sandbox: openHostSandbox(), signal }))!
    await using quarantine = await checkouts.openQuarantine({
      mirror,
      patch,
      folder: join(folder, 'work', `${id}-q`),
      signal,
    })
    const published = await publish({
      redact: (told) => told,
      run: { id, routine: 'tidy', subject: 'main', createdAt, trigger: 'schedule' },
      texts: { title: 'Tidy the shop', description: 'It was untidy.' },
      options: { draft: true, labels: [], reviewers: [] },
      repository,
      base: base.branch,
      patch,
      quarantine,
      forge,
      lastPushed: async (branch) => pushed.get(branch),
      confirm: async () => {},
      signal,
      ...rest,
    })
    pushed.set(published.branch, published.commit)
    return published
  }
  const inSource = (...args: string[]) => git(opened.source, ...args)
  const state = async () =>
    (await forge.list({})).map(({ number, branch, state, head }) => ({ number, branch, state, head }))
  return { ...opened, forge, pulls, pushed, run, inSource, state, [Symbol.dispose]: () => opened[Symbol.dispose]() }
}
const branch = 'overnight/tidy/main'

test('a worker that lost its run changes nothing more at the forge, at whichever step it learns of it', async () => {
  for (const allowed of [0, 1]) {
    using house = await openHouse()
    const asked: unknown[] = []
    const confirm = async () => {
      if (asked.push(null) > allowed) throw new FenceLost('r1', 1)
    }
    await expect(house.run('r1', { 'a.txt': 'new\n' }, { confirm })).rejects.toThrow(FenceLost)
    const made = house
      .inSource('for-each-ref', '--format=%(refname)', 'refs/heads/overnight')
      .split('\n')
      .filter(Boolean)
    expect(made).toHaveLength(allowed)
    expect(await house.state()).toEqual([])
  }
})

describe('a run is published', () => {
  test('as one commit on the base, on the branch of its subject, with a pull request', async () => {
    using house = await openHouse()
    const base = house.inSource('rev-parse', 'main')
    const seconds = createdAt.getTime() / 1000
    const { state, commit, pull } = await house.run('run-1', { 'a.txt': 'a\n' })
    expect(state).toBe('published')
    expect(pull).toMatchObject({
      number: 1,
      branch,
      base: 'main',
      head: commit,
      title: 'Tidy the shop',
      draft: true,
      state: 'open',
    })
    expect(runOfMarker(pull.body)).toBe('run-1')
    expect(house.inSource('log', '-1', '--format=%P %an %ae %cn %ce %at %ct', branch)).toBe(
      `${base} Overnight overnight@localhost Overnight overnight@localhost ${seconds} ${seconds}`,
    )
    expect(house.inSource('log', '-1', '--format=%(trailers:key=Overnight-Run,valueonly)', branch).trim()).toBe('run-1')
    expect(house.inSource('diff', '--name-only', 'main', branch)).toBe('a.txt')
    expect(house.inSource('rev-parse', 'main')).toBe(base)
  })

  test('without the secrets that its agent told, also where they would be made harmless first', async () => {
    using house = await openHouse()
    const value = 'kx@Zq7#9mT4/vR2pY8'
    const redaction = createRedaction()
    redaction.learn({ name: 'KEY', value })
    const { pull } = await house.run(
      'run-1',
      { [`${value.replace('/', '-')}.txt`]: 'x', [`a/${value}`]: 'y' },
      { redact: redaction.all, texts: { title: `Use ${value}`, description: `It was ${encodeURIComponent(value)}.` } },
    )
    const message = house.inSource('log', '-1', '--format=%B', branch)
    expect(pull.title).toBe('Use [secret KEY]')
    expect(pull.body).toMatch(/^It was \[secret KEY\]\.\n[^]*- `a\/\[secret KEY\]` /)
    expect(message).toMatch(/^Use \[secret KEY\]\n\nIt was \[secret KEY\]\.\n/)
  })

  test('again, and nothing is new', async () => {
    using house = await openHouse()
    const first = await house.run('run-1', { 'a.txt': 'a\n' })
    expect(await house.run('run-1', { 'a.txt': 'a\n' })).toEqual(first)
    expect(await house.state()).toHaveLength(1)
  })

  test('a newer run replaces the commit and updates the pull request', async () => {
    using house = await openHouse()
    await house.run('run-1', { 'a.txt': 'a\n' })
    const base = commitFiles(house.source, { 'b.txt': 'theirs\n' })
    const second = await house.run('run-2', { 'a.txt': 'better\n' })
    expect(second).toMatchObject({ state: 'published', branch, pull: { number: 1, head: second.commit } })
    expect(house.inSource('log', '--format=%P', '-1', branch)).toBe(base)
    expect(runOfMarker(second.pull.body)).toBe('run-2')
  })

  test('the same change is unchanged, with that pull request', async () => {
    using house = await openHouse()
    const first = await house.run('run-1', { 'a.txt': 'a\n' })
    expect(await house.run('run-2', { 'a.txt': 'a\n' })).toMatchObject({
      state: 'unchanged',
      commit: first.commit,
      pull: first.pull,
    })
    expect(house.inSource('rev-parse', branch)).toBe(first.commit)
  })

  test('after a merge or a close, on the next branch', async () => {
    using house = await openHouse()
    const first = await house.run('run-1', { 'a.txt': 'a\n' })
    await house.forge.merge(first.pull.id, 'ada')
    const second = await house.run('run-2', { 'b.txt': 'b\n' })
    expect(second).toMatchObject({ branch: `${branch}-2`, pull: { number: 2 } })
    await house.forge.close(second.pull.id, 'ada')
    expect(await house.run('run-3', { 'b.txt': 'b\n' })).toMatchObject({ state: 'published', branch: `${branch}-3` })
    expect((await house.state()).map(({ state }) => state)).toEqual(['open', 'closed', 'merged'])
  })

  test('once more after its pull request was merged, it stays that one', async () => {
    using house = await openHouse()
    const first = await house.run('run-1', { 'a.txt': 'a\n' })
    house.inSource('checkout', '--quiet', '--detach')
    await house.forge.merge(first.pull.id, 'ada')
    house.inSource('update-ref', 'refs/heads/main', 'main~1')
    expect(await house.run('run-1', { 'a.txt': 'a\n' })).toMatchObject({
      state: 'published',
      branch,
      pull: { number: 1, state: 'merged' },
    })
    expect(await house.state()).toHaveLength(1)
  })
})

describe('what others put on the branch is not overwritten', () => {
  const onTop = (house: Awaited<ReturnType<typeof openHouse>>, env: Record<string, string> = {}) => {
    const tree = house.inSource('rev-parse', `${branch}^{tree}`)
    const args = ['commit-tree', tree, '-p', branch, '-m', 'mine\n\nOvernight-Run: run-1']
    const options = {
      cwd: house.source,
      encoding: 'utf8' as const,
      env: { ...process.env, GIT_AUTHOR_NAME: 'x', GIT_AUTHOR_EMAIL: 'x@y', ...env },
    }
    const commit = execFileSync('git', args, options).trim()
    house.inSource('update-ref', `refs/heads/${branch}`, commit)
    return commit
  }
  const ada = { GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' }
  const ours = { GIT_COMMITTER_NAME: 'Overnight', GIT_COMMITTER_EMAIL: 'overnight@localhost' }

  test.each([
    ['a commit of a person', ada],
    ['a commit under our name on top of ours', ours],
  ])('%s', async (_, env) => {
    using house = await openHouse()
    await house.run('run-1', { 'a.txt': 'a\n' })
    const theirs = onTop(house, env)
    await expect(house.run('run-2', { 'a.txt': 'better\n' })).rejects.toMatchObject({
      reason: 'branch_has_other_commits',
      hint: expect.stringContaining('run-2'),
    })
    expect(house.inSource('rev-parse', branch)).toBe(theirs)
  })

  test('a branch of that name that we never made', async () => {
    using house = await openHouse()
    house.inSource('branch', branch)
    commitFiles(house.source, { 'x.txt': 'x\n' })
    await expect(house.run('run-1', { 'a.txt': 'a\n' })).rejects.toMatchObject({ reason: 'branch_has_other_commits' })
  })

  test('a push that comes between looking and pushing', async () => {
    using house = await openHouse()
    await house.run('run-1', { 'a.txt': 'a\n' })
    let theirs = ''
    const forge: Forge = {
      ...house.forge,
      ensureBranch(push) {
        theirs = onTop(house, ada)
        return house.forge.ensureBranch(push)
      },
    }
    await expect(house.run('run-2', { 'a.txt': 'better\n' }, { forge })).rejects.toMatchObject({
      reason: 'branch_has_other_commits',
    })
    expect(house.inSource('rev-parse', branch)).toBe(theirs)
  })

  test('our own push that the ledger never heard of is known by its commit', async () => {
    using house = await openHouse()
    await house.run('run-1', { 'a.txt': 'a\n' })
    house.pushed.clear()
    commitFiles(house.source, { 'b.txt': 'theirs\n' })
    expect(await house.run('run-2', { 'a.txt': 'better\n' })).toMatchObject({ state: 'published', pull: { number: 1 } })
  })
})

describe('whatever is lost on the way, one branch and one pull request', () => {
  const calls = ['findPulls', 'findHead', 'ensureBranch', 'ensurePull'] as const
  /** Does the act, then loses the answer, once. */
  function losing(forge: Forge, call: (typeof calls)[number]): Forge {
    let lost = false
    const act = forge[call] as (...args: unknown[]) => Promise<unknown>
    const lose = async (...args: unknown[]) => {
      const answer = await act(...args)
      if (lost) return answer
      lost = true
      throw new Error('the answer was lost')
    }
    return { ...forge, [call]: lose }
  }

  test.each(calls)('the answer of %s', async (call) => {
    using house = await openHouse()
    const forge = losing(house.forge, call)
    await expect(house.run('run-1', { 'a.txt': 'a\n' }, { forge })).rejects.toThrow('lost')
    const published = await house.run('run-1', { 'a.txt': 'a\n' }, { forge })
    expect(published).toMatchObject({ state: 'published', branch, pull: { number: 1, head: published.commit } })
    expect(await house.state()).toHaveLength(1)
    expect(house.inSource('for-each-ref', '--format=%(refname:short)', 'refs/heads/overnight')).toBe(branch)
  })

  test.each(['pushed', 'pull_ensured'] as const)('a kill at %s, and then the base moves', async (at) => {
    using house = await openHouse()
    const reached = (step: string) => {
      if (step === at) throw new Error('killed')
    }
    await expect(house.run('run-1', { 'a.txt': 'a\n' }, { reached })).rejects.toThrow('killed')
    commitFiles(house.source, { 'b.txt': 'theirs\n' })
    expect(await house.run('run-2', { 'a.txt': 'better\n' })).toMatchObject({
      state: 'published',
      branch,
      pull: { number: 1 },
    })
    expect(await house.state()).toHaveLength(1)
  })

  test('stopped before the push, nothing is on the forge', async () => {
    using house = await openHouse()
    const stop = new AbortController()
    const forge: Forge = {
      ...house.forge,
      findHead: async (...args) => (stop.abort(new Error('stopped')), house.forge.findHead(...args)),
    }
    await expect(house.run('run-1', { 'a.txt': 'a\n' }, { forge, signal: stop.signal })).rejects.toThrow('stopped')
    expect(house.inSource('for-each-ref', 'refs/heads/overnight')).toBe('')
    expect(await house.state()).toEqual([])
  })
})

import { describe, expect, test } from 'vitest'
import { StepFailed } from '../../../src/errors.ts'
import type { Routine } from '../../../src/routines/routine.ts'
import { createGitHubSource, type Asking, type Pushed } from '../../../src/triggers/github/source.ts'
import { eventOf, examples, exampleOf, type Payload } from '../../support/github/events.ts'
import { readGood, routineText } from '../../routines/reading/reading.ts'

const forge = 'Codertocat/Hello-World'
/** What GitHub would say of each kind of sender. */
const people: Record<string, { login: string; type: string; permission: string; mayFire: boolean }> = {
  owner: { login: 'Codertocat', type: 'User', permission: 'admin', mayFire: true },
  maintainer: { login: 'mona', type: 'User', permission: 'maintain', mayFire: true },
  member: { login: 'ada', type: 'User', permission: 'write', mayFire: true },
  triager: { login: 'tom', type: 'User', permission: 'triage', mayFire: false },
  stranger: { login: 'mallory', type: 'User', permission: 'read', mayFire: false },
  'first-timer': { login: 'newbie', type: 'User', permission: 'none', mayFire: false },
  bot: { login: 'renovate[bot]', type: 'Bot', permission: 'write', mayFire: false },
  ghost: { login: 'ghost', type: 'User', permission: 'none', mayFire: false },
  ourselves: { login: 'overnight[bot]', type: 'Bot', permission: 'write', mayFire: false },
}

function asking(more: Partial<Asking> = {}): Asking {
  return {
    isSignedIn: true,
    self: () => Promise.resolve({ login: 'overnight[bot]', isApp: true }),
    permissionOf: (_, login) =>
      Promise.resolve(Object.values(people).find((one) => one.login === login)?.permission ?? 'none'),
    changedFiles: () => Promise.resolve([]),
    isFromFork: () => Promise.resolve(false),
    nameAt: (written) => written,
    nameOf: (written) => Promise.resolve(written),
    ...more,
  }
}
const texts = new Map<string, Routine>()
function read(front: string): Routine {
  const routine = texts.get(front) ?? readGood(routineText(front))
  texts.set(front, routine)
  return routine
}
type More = { asking?: Partial<Asking>; front?: string; depth?: number | ((pushed: Pushed) => number | undefined) }
function decide(event: string, payload: Payload, trigger: object, { asking: more, front = '', depth }: More = {}) {
  const depthOf = (_: string, pushed: Pushed) => Promise.resolve(typeof depth === 'function' ? depth(pushed) : depth)
  const source = createGitHubSource({ github: asking(more), runDepth: depthOf })
  const routine = read(`on: { github: ${JSON.stringify(trigger)} }\n${front}`)
  return source.decide(eventOf(event, payload), { ...routine, repository: forge })
}
const by = (payload: Payload, login: string, type = 'User'): Payload => ({ ...payload, sender: { login, type, id: 5 } })
const reasonOf = (verdict: Awaited<ReturnType<typeof decide>>) => ('reason' in verdict ? verdict.reason : verdict.act)

describe('whoever sends it, and whatever it is', () => {
  const pulls = { head: { ref: 'x', repo: { id: 1 } }, base: { ref: 'main', repo: { id: 1 } }, number: 7 }
  test.each(Object.entries(people))('%s', async (_, { login, type, mayFire }) => {
    for (const { name, payload } of examples) {
      const repository = { ...(payload['repository'] as object), id: 1, full_name: forge }
      const own = {
        ...by(payload, login, type),
        repository,
        ...(payload['pull_request'] ? { pull_request: { ...payload['pull_request'], ...pulls } } : {}),
        // The oldest example names no branch.
        ...(name === 'workflow_job' ? { workflow_job: { head_branch: 'main', head_sha: 'a' } } : {}),
        ...(payload['workflow_run'] ? { workflow_run: { head_repository: { id: 1 } } } : {}),
      }
      const verdict = await decide(name, own, { event: name })
      expect([name, verdict.act]).toEqual([name, mayFire ? 'fire' : 'refuse'])
      if (!payload['pull_request']) continue
      const forks = [
        { ref: 'x', repo: { id: 2 } },
        { ref: 'x', repo: null },
      ]
      for (const head of forks) {
        const foreign = { ...own, pull_request: { ...own.pull_request, head } }
        expect([name, (await decide(name, foreign, { event: name })).act]).toEqual([name, 'refuse'])
      }
    }
  })

  test('nobody at all', async () => {
    const { sender: _, ...payload } = exampleOf('issues', 'opened')
    expect(reasonOf(await decide('issues', payload, { event: 'issues' }))).toBe('nobody is named as its sender')
  })
})

describe('those who are listed', () => {
  const opened = exampleOf('issues', 'opened')
  test.each([
    ['a stranger', by(opened, 'mallory'), { users: ['Mallory'] }, 'fire'],
    ['another stranger', by(opened, 'newbie'), { users: ['mallory'] }, 'newbie may not write to the repository'],
    ['a bot', by(opened, 'renovate[bot]', 'Bot'), { bots: ['Renovate[bot]'] }, 'fire'],
    [
      'a bot that is listed as a user',
      by(opened, 'renovate[bot]', 'Bot'),
      { users: ['renovate[bot]'] },
      expect.stringContaining('is a bot'),
    ],
    [
      'ourselves',
      by(opened, 'overnight[bot]', 'Bot'),
      { bots: ['overnight[bot]'] },
      'it was done by this service itself',
    ],
  ])('%s', async (_, payload, allow, expected) => {
    expect(reasonOf(await decide('issues', payload, { event: 'issues', allow }))).toEqual(expected)
  })

  test('forks, where the sender may write', async () => {
    const payload = exampleOf('pull_request', 'opened')
    const foreign = {
      ...payload,
      pull_request: { ...(payload['pull_request'] as object), head: { ref: 'x', repo: null } },
    }
    const trigger = { event: 'pull_request', allow: { forks: true } }
    expect(reasonOf(await decide('pull_request', by(foreign, 'ada'), trigger))).toBe('fire')
    expect(reasonOf(await decide('pull_request', by(foreign, 'mallory'), trigger))).toContain('may not write')
  })

  test('a comment does not say whether its pull request is from a fork: GitHub does', async () => {
    const payload = exampleOf('issue_comment', 'created')
    const issue = { ...(payload['issue'] as object), number: 7, pull_request: { url: 'x' } }
    const asked: unknown[] = []
    const isFromFork = (...about: unknown[]) => (asked.push(about), Promise.resolve(true))
    const verdict = await decide(
      'issue_comment',
      by({ ...payload, issue }, 'ada'),
      { event: 'issue_comment' },
      { asking: { isFromFork } },
    )
    expect([reasonOf(verdict), asked]).toEqual([expect.stringContaining('from a fork'), [[forge, { pull: 7 }]]])
  })
})

/** What machines tell of a commit, as GitHub tells it: of a fork's without a branch. */
const head = 'a'.repeat(40)
const circleci = (payload: Payload): Payload => by({ ...payload, repository: { id: 1 } }, 'circleci[bot]', 'Bot')
const told = {
  check_suite: (branch: string | null) => ({
    check_suite: { head_branch: branch, head_sha: head, pull_requests: [] },
  }),
  check_run: (branch: string | null) => ({
    check_run: { head_sha: head, pull_requests: [], check_suite: { head_branch: branch, head_sha: head } },
  }),
  status: (branch: string | null) => ({
    sha: head,
    branches: branch === null ? [] : [{ name: branch, commit: { sha: head } }],
  }),
  workflow_job: (branch: string | null) => ({ workflow_job: { head_branch: branch, head_sha: head } }),
  deployment: (ref: string | null) => ({ deployment: { ref: ref ?? head, sha: head } }),
  deployment_status: (ref: string | null) => ({ deployment: { ref: ref ?? head, sha: head }, deployment_status: {} }),
}
const bots = ['circleci[bot]']
const kinds = Object.entries(told)

describe('a commit that somebody pushed to a fork', () => {
  const repository = { id: 1, full_name: forge }
  const isFromFork = () => Promise.resolve(true)
  const noted = { asking: { isFromFork } }
  test.each([
    ['check_suite', told.check_suite(null)],
    ['check_run', told.check_run(null)],
    ['status', told.status(null)],
    ['workflow_job', told.workflow_job(null)],
    ['workflow_job', told.workflow_job('main')],
    ['workflow_run', { workflow_run: { head_branch: 'main', head_sha: head, head_repository: { id: 2 } } }],
    ['workflow_run', { workflow_run: { head_branch: 'main', head_sha: head, head_repository: null } }],
    ['deployment', { ...told.deployment('main'), workflow_run: { id: 4, head_branch: 'main', head_sha: head } }],
    ['deployment_status', { ...told.deployment(null), workflow_run: { id: 4, head_repository: null } }],
    ['issue_comment', { issue: { number: 7, pull_request: { url: 'x' } } }],
    ['issue_comment', { issue: { pull_request: {} } }],
  ])('%s %j', async (event, payload) => {
    const whole = { ...circleci(payload), repository }
    expect(reasonOf(await decide(event, whole, { event, allow: { bots } }, noted))).toContain('from a fork')
    expect(reasonOf(await decide(event, whole, { event, allow: { bots, forks: true } }, noted))).toBe('fire')
  })

  test.each(kinds)('%s of a branch of the repository itself is of no fork', async (event, payload) => {
    const whole = { ...circleci(payload('main')), repository }
    expect(reasonOf(await decide(event, whole, { event, allow: { bots } }))).toBe('fire')
  })

  test('a job does not say whose branch it is of: GitHub is asked whether the commit is there', async () => {
    const asked: unknown[] = []
    const asking = { isFromFork: (...about: unknown[]) => (asked.push(about), Promise.resolve(false)) }
    const whole = { ...circleci(told.workflow_job('main')), repository }
    const verdict = await decide('workflow_job', whole, { event: 'workflow_job', allow: { bots } }, { asking })
    expect([verdict.act, asked]).toEqual(['fire', [[forge, { branch: 'main', commit: head }]]])
  })
})

describe('what follows from our own push', () => {
  const ours = 'overnight/deps/main'
  const repository = { id: 1, full_name: forge }
  test.each(kinds)('%s by the account whose token we have is ours', async (event, payload) => {
    const self = () => Promise.resolve({ login: 'ada', isApp: false })
    const whole = (branch: string) => ({ ...by(payload(branch), 'ada'), repository })
    expect((await decide(event, whole(ours), { event }, { asking: { self } })).act).toBe('refuse')
    expect((await decide(event, whole('main'), { event }, { asking: { self } })).act).toBe('fire')
  })

  test.each(kinds)('%s by a bot is a step further', async (event, payload) => {
    const depth = (pushed: Pushed) => ('branch' in pushed && pushed.branch === ours ? 1 : undefined)
    const trigger = { event, allow: { bots } }
    const whole = (branch: string) => ({ ...circleci(payload(branch)), repository })
    expect(await decide(event, whole(ours), trigger, { depth })).toMatchObject({ act: 'fire', depth: 2 })
    expect(await decide(event, whole('main'), trigger, { depth })).not.toHaveProperty('depth')
  })

  test.each([
    ['deployment', told.deployment(null), { commit: head, pull: null }],
    ['deployment_status', told.deployment_status(null), { commit: head, pull: null }],
    ['commit_comment', { action: 'created', comment: { commit_id: head } }, { commit: head, pull: null }],
    ['issue_comment', { issue: { number: 7, pull_request: { url: 'x' } } }, { commit: null, pull: 7 }],
  ])('%s that names no branch is known by its commit or pull request', async (event, payload, wanted) => {
    const depth = (pushed: Pushed) => (JSON.stringify(pushed) === JSON.stringify(wanted) ? 1 : undefined)
    const verdict = await decide(event, { ...circleci(payload), repository }, { event, allow: { bots } }, { depth })
    expect(verdict).toMatchObject({ act: 'fire', depth: 2 })
  })

  test('a commit that ours started from is of the branch where it is, and ours of ours', async () => {
    const depth = (pushed: Pushed) => ('branch' in pushed ? 1 : undefined)
    const at = (name: string, sha: string) => ({ name, commit: { sha } })
    const status = (...branches: object[]) => ({ ...circleci({ sha: head, branches }), repository })
    const decided = (...branches: object[]) =>
      decide('status', status(...branches), { event: 'status', allow: { bots } }, { depth })
    expect(await decided(at(ours, 'b'.repeat(40)), at('main', head))).not.toHaveProperty('depth')
    expect(await decided(at('main', 'b'.repeat(40)), at(ours, head))).toMatchObject({ depth: 2 })
    expect(await decided(at(ours, 'b'.repeat(40)))).toMatchObject({ depth: 2 })
  })
})

describe('a forge', () => {
  const opened = by(exampleOf('issues', 'opened'), 'ada')
  test('that is away postpones, and does not refuse', async () => {
    const permissionOf = () => Promise.reject(new StepFailed('forge_unavailable', 'away', { retryable: true }))
    await expect(decide('issues', opened, { event: 'issues' }, { asking: { permissionOf } })).rejects.toThrow('away')
  })

  test('nobody is signed in to cannot be asked', async () => {
    const verdict = await decide(
      'issues',
      opened,
      { event: 'issues' },
      { asking: { isSignedIn: false, self: () => Promise.resolve(undefined) } },
    )
    expect(reasonOf(verdict)).toContain('nobody is signed in at GitHub')
  })

  test('is asked only about events that fit', async () => {
    const never = () => Promise.reject(new Error('asked'))
    const quiet = { permissionOf: never, self: never, changedFiles: never, isFromFork: never }
    const passes = { event: 'issues', if: { action: { eq: 'closed' } } }
    expect((await decide('issues', opened, passes, { asking: quiet })).act).toBe('pass')
    expect((await decide('issues', opened, { event: 'push' }, { asking: quiet })).act).toBe('pass')
  })
})

describe('our own acts, as a person whose token we have', () => {
  const self = () => Promise.resolve({ login: 'ada', isApp: false })
  const about = (event: string, action: string | undefined, ref: string): Payload => {
    const payload = by(exampleOf(event, action), 'ada')
    const repo = { id: 1 }
    return payload['pull_request']
      ? {
          ...payload,
          pull_request: { ...payload['pull_request'], head: { ref, repo }, base: { ref: 'main', repo } },
        }
      : { ...payload, ref }
  }
  test.each<[string, string, Payload, string]>([
    ['our pull request', 'pull_request', about('pull_request', 'opened', 'overnight/deps/main'), 'refuse'],
    ['our push to it', 'pull_request', about('pull_request', 'synchronize', 'overnight/deps/main'), 'refuse'],
    ['our push', 'push', about('push', undefined, 'refs/heads/overnight/deps/main'), 'refuse'],
    ['their pull request', 'pull_request', about('pull_request', 'opened', 'feature'), 'fire'],
    ['their label on ours', 'pull_request', about('pull_request', 'labeled', 'overnight/deps/main'), 'fire'],
    ['their push', 'push', about('push', undefined, 'refs/heads/main'), 'fire'],
  ])('%s', async (_, event, payload, expected) => {
    expect((await decide(event, payload, { event }, { asking: { self } })).act).toBe(expected)
  })

  test('a comment with our mark is ours, without it is theirs', async () => {
    const say = (body: string) => ({ ...by(exampleOf('issue_comment', 'created'), 'ada'), comment: { body } })
    const trigger = { event: 'issue_comment' }
    expect(
      (await decide('issue_comment', say('done\n<!-- overnight: deps/main r1 -->'), trigger, { asking: { self } })).act,
    ).toBe('refuse')
    expect((await decide('issue_comment', say('done'), trigger, { asking: { self } })).act).toBe('fire')
  })
})

test('what machines make of our branch is one step further from a cause outside; what people do is not', async () => {
  const failed = by(exampleOf('check_suite', 'completed'), 'github-actions[bot]', 'Bot')
  const suite = { ...(failed['check_suite'] as object), head_branch: 'overnight/deps/main', pull_requests: [] }
  const trigger = { event: 'check_suite', allow: { bots: ['github-actions[bot]'] } }
  expect(await decide('check_suite', { ...failed, check_suite: suite }, trigger, { depth: 1 })).toMatchObject({
    act: 'fire',
    depth: 2,
  })
  expect(await decide('check_suite', failed, trigger, { depth: 1 })).not.toHaveProperty('depth')
  const repo = { id: 1 }
  const ready = { number: 3, head: { ref: 'overnight/deps/main', repo }, base: { ref: 'main', repo } }
  const byHand = { ...by(exampleOf('pull_request', 'ready_for_review'), 'ada'), pull_request: ready }
  const verdict = await decide('pull_request', byHand, { event: 'pull_request' }, { depth: 1 })
  expect(verdict).toMatchObject({ act: 'fire', subject: 'pr-3' })
  expect(verdict).not.toHaveProperty('depth')
})

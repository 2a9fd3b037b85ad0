import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectedScenarios, connectedStories, connectorEnv, writeConnectors } from '../contract/connected.ts'
import { claudeScenarios, claudeStories } from '../contract/claude-runs.ts'
import { reachStories } from '../contract/reach.ts'
import { openModel, realKey } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { notesOf, openCrew, processesCalled, until, type Crew } from '../support/crew.ts'
import { startDocker, type Docker } from '../support/docker.ts'
import { git } from '../support/git-repository.ts'
import { startGitHub, type GitHubProcess } from '../support/github/process.ts'
import { openMcpServer, type McpServer } from '../support/mcp-server.ts'
import { need } from '../support/need.ts'
import { buildSandboxImage } from '../support/sandbox-image.ts'

const planted = 'kept-by-the-house-8f31c6'
const started = await startDocker()
const missing = need('missing' in started ? started.missing : undefined)

// Whole runs in containers, by a service that may be root: what it lends it must get back.
describe.skipIf(missing.skip)(`runs in Docker${missing.note}`, { timeout: 120_000 }, () => {
  const docker = started as Docker
  const more = { sandbox: 'docker' }
  const parts = new AsyncDisposableStack()
  parts.use(docker)
  let crew: Crew
  let github: GitHubProcess
  let server: McpServer
  beforeAll(async () => {
    await buildSandboxImage(docker)
    const folder = await mkdtemp(join(tmpdir(), 'overnight-github-'))
    parts.defer(() => rm(folder, { recursive: true, force: true }))
    const model = parts.use(await openModel({ ...claudeScenarios, ...connectedScenarios }))
    server = parts.use(await openMcpServer({ tools: ['search', 'delete'], events: true }))
    github = parts.use(await startGitHub(folder))
    crew = await openCrew({
      ...github.env('token'),
      ...connectorEnv(server),
      PATH: `${claude.folder}:${process.env['PATH'] ?? ''}`,
      ANTHROPIC_API_KEY: realKey,
      ANTHROPIC_BASE_URL: model.url,
      OVERNIGHT_SECRET_DEPLOY: planted,
      DOCKER_HOST: docker.env['DOCKER_HOST']!,
      OVERNIGHT_CONCURRENCY: '6',
    })
    parts.use(crew)
    await writeConnectors(crew, server)
    // The routines' folder is shown to somebody else than root.
    await chmod(crew.place.folder, 0o755)
  }, 300_000)
  afterAll(() => parts[Symbol.asyncDispose](), 60_000)

  async function nothingLeft(run: string): Promise<void> {
    await crew.nothingLeft(run)
    await until(8, async () =>
      (await docker.docker('ps', '--all', '--quiet', '--filter', `label=overnight.run=${run}`))
        .split('\n')
        .filter(Boolean),
    )
  }

  test('without a word of the routine it is Docker; commits, new files and what is uncommitted end in one pull request', async () => {
    const commit = 'git -c user.name=A -c user.email=a@b.c commit --quiet --all --message mine'
    const sh = `id -u; echo one >>README.md; ${commit}; echo two >new; echo Wrote two lines in here`
    const ended = await crew.settled(await crew.start('commits', { sh }))
    expect(ended).toMatchObject({ state: 'published', sandbox: 'docker', files: 2 })
    expect(await crew.said(ended.run)).toMatch(/^[1-9]\d*\n/)
    expect(await crew.diff(ended.run)).toMatch(/\+one[^]*\+two/)
    await nothingLeft(ended.run)
  })

  describe('its way out', () => {
    reachStories('docker', () => crew)
  })

  describe('its connectors', () => {
    connectedStories(
      'docker',
      () => crew,
      () => server,
    )
  })

  describe.skipIf(claude.skip)(`engine: claude${claude.note}`, () => {
    claudeStories('docker', () => crew)
  })

  test('for a repository on GitHub: it is fetched through the relay, and no credential is anywhere it can look', async () => {
    const { owner } = github.tokens
    const bare = github.repositories['acme/shop']!
    git(bare, 'branch', 'feature', 'main')
    // In halves, so that the search does not find itself.
    const halves = [owner, realKey, planted].map((word) => `${word.slice(0, -1)}[${word.slice(-1)}]`)
    const sh = `git fetch --quiet origin && git rev-parse origin/feature > fetched.txt
      env > "$HOME/seen"; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' >> "$HOME/seen"
      grep -c OVERNIGHT_RUN "$HOME/seen" >/dev/null && echo searched
      grep -rIslE ${JSON.stringify(halves.join('|'))} / --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr; true`
    const ended = await crew.run('on-github', {
      repository: 'acme/shop',
      sh,
      more: { sandbox: 'docker', network: ['allowed.example'] },
    })
    expect(ended).toMatchObject({ state: 'published', pullRequest: { url: expect.stringContaining('/acme/shop/') } })
    expect(await crew.said(ended.run)).toBe('searched\n')
    expect(git(bare, 'show', `${ended.commit}:fetched.txt`)).toBe(git(bare, 'rev-parse', 'feature'))
  })

  test('a time limit ends one that obeys nothing, with what it started', async () => {
    const seconds = `9000.${process.pid}`
    const sh = `trap '' TERM INT HUP; echo changed > README.md
      (setsid sh -c 'trap "" TERM HUP; (setsid sleep ${seconds} &); sleep ${seconds}' &); while :; do sleep ${seconds}; done`
    const run = await crew.start('obeys-nothing', { sh, more: { ...more, limits: { minutes: 0.05 } } })
    const ended = await crew.settled(run)
    expect(ended).toMatchObject({ state: 'timed_out', reason: 'time_limit' })
    expect(ended.seconds).toBeLessThan(3 + 15)
    expect(await crew.diff(run)).toContain('+changed')
    expect(await processesCalled(`sleep ${seconds}`)).toEqual([])
    await nothingLeft(run)
  })

  test('a person cancels one that floods', async () => {
    const run = await crew.start('floods', { sh: 'echo up; exec yes "a line that is neither short nor long"', more })
    await until(30, async () => ((await crew.said(run)).includes('up') ? [] : ['silence']))
    const asked = performance.now()
    await crew.service.post(`/v1/runs/${run}/cancel`)
    expect(await crew.settled(run)).toMatchObject({ state: 'cancelled' })
    expect(performance.now() - asked).toBeLessThan(10_000)
    await nothingLeft(run)
  })

  test('memory that runs out is why it failed; the next one finds everything as it was', async () => {
    const hungry = `exec node -e 'const held = []; for (;;) held.push(Buffer.alloc(2 ** 24, 1))'`
    const limits = { memory: '64MB' }
    const run = await crew.start('hungry', { sh: `echo changed > README.md; ${hungry}`, more: { ...more, limits } })
    const ended = await crew.settled(run)
    expect(ended).toMatchObject({ state: 'failed', reason: 'out_of_memory' })
    expect(await crew.diff(run)).toContain('+changed')
    await nothingLeft(run)
    expect(await crew.settled(await crew.start('next', { sh: 'echo next > README.md', more }))).toMatchObject({
      state: 'published',
    })
  })

  test('what setup made is kept, and put back into the container of another run', async () => {
    const setup = [
      {
        run: 'mkdir -p deps ~/.tool; date +%s%N >deps/made; ln -s made deps/x; echo t >~/.tool/t',
        when: 'README.md',
        keep: ['deps', '~/.tool'],
      },
    ]
    const agent = { sh: 'cat deps/x ~/.tool/t; rm -r deps; git status --short | wc -l', more: { ...more, setup } }
    const first = await crew.run('setup', agent)
    const second = await crew.run('setup-again', agent)
    const said = await crew.said(first.run)
    expect([first.state, said]).toEqual(['unchanged', expect.stringMatching(/^\d+\nt\n0\n$/)])
    expect(await crew.said(second.run)).toBe(said)
    expect(await notesOf(crew, second.run)).toEqual([expect.stringContaining('setup: kept result of mkdir')])
    await nothingLeft(second.run)
  })

  test('a daemon that dies while the agent works, and comes back: the agent begins again, and nothing is left', async () => {
    const back = join(crew.place.routines, 'back')
    const sh = `if [ -e "$OVERNIGHT_ROUTINE_DIR/back" ]; then echo again > README.md; else echo up; sleep 600; fi`
    const run = await crew.start('routines/survivor', { sh, more })
    await until(30, async () => ((await crew.said(run)).includes('up') ? [] : ['silence']))
    await docker.crash()
    await writeFile(back, '')
    await docker.restart()
    expect(await crew.settled(run)).toMatchObject({ state: 'published', files: 1 })
    await nothingLeft(run)
  })

  test('fifteen at once', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `many-${index}`)
    const runs = await Promise.all(names.map((name) => crew.start(name, { sh: 'echo done', more })))
    const ended = await Promise.all(runs.map((run) => crew.settled(run)))
    expect(ended.map(({ state }) => state)).toEqual(names.map(() => 'unchanged'))
    for (const run of runs) await nothingLeft(run)
  })
})

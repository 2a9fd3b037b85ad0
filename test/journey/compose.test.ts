import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startDocker, startStack, type Docker, type Stack } from '../support/docker.ts'
import { openFolder } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { routineText } from '../support/place.ts'
import { untilSettled } from '../support/service-process.ts'

const started = await startDocker()
const missing = need('missing' in started ? started.missing : undefined)

const repository = '/data/repositories/shop'
const writes = `require('fs').writeFileSync(process.argv[1], 'written\\n'); console.log('Wrote a note')`
/** Starts to work when there is a file `gate` beside the routine. */
const waits = `const fs = require('fs')
  const timer = setInterval(() => {
    if (!fs.existsSync(process.env.OVERNIGHT_ROUTINE_DIR + '/gate')) return
    clearInterval(timer); fs.writeFileSync(process.argv[1], 'written\\n'); console.log('Wrote a note')
  }, 50)`

type Pull = { branch: string; head: string; number: number; state: string }

describe.skipIf(missing.skip)(`docker-compose${missing.note}`, { timeout: 180_000 }, () => {
  const docker = started as Docker
  const folder = openFolder()
  let stack: Stack

  beforeAll(async () => {
    const routine = (name: string, program: string, more = {}) =>
      writeFileSync(join(folder.path, `${name}.md`), routineText({ repository, program, args: [`${name}.md`], more }))
    // The service in the containers is somebody else.
    chmodSync(folder.path, 0o755)
    routine('note', writes, { sandbox: 'bubblewrap' })
    routine('slow', waits, { sandbox: 'bubblewrap' })
    const webhooks = join(folder.path, 'webhooks')
    mkdirSync(webhooks)
    writeFileSync(join(webhooks, 'orders.yaml'), 'verify: bearer\nsecret: secret:ORDERS\n')
    stack = await startStack(docker, {
      port: await freePort(),
      routines: folder.path,
      webhooks,
      env: { OVERNIGHT_LEASE_SECONDS: '3', OVERNIGHT_DRAIN_SECONDS: '1' },
    })
    const commit = [
      `git init --quiet --initial-branch=main ${repository} && cd ${repository} && echo '# Shop' > README.md && git add .`,
      'git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message "the beginning"',
    ].join(' && ')
    await stack.compose('exec', '-T', 'server', 'sh', '-c', commit)
  }, 600_000)

  afterAll(async () => {
    if (!missing.skip) await docker[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  }, 120_000)

  /** The head of a branch, as the repository has it. */
  const headOf = (branch: string) => stack.compose('exec', '-T', 'server', 'git', '-C', repository, 'rev-parse', branch)

  /** The container whose worker has the agent of this routine in its hands. */
  async function workerOf(routine: string): Promise<string | undefined> {
    for (const id of (await stack.compose('ps', '--quiet', 'worker-1', 'worker-2')).split('\n')) {
      const running = await docker.docker('top', id).catch(() => '')
      if (running.includes(`${routine}.md`)) return id
    }
    return undefined
  }

  test('a routine fired over HTTP ends in a pull request, and its agent was behind walls', async () => {
    const { run } = await stack.post<{ run: string }>('/v1/routines/note/fire')
    const ended = await untilSettled(stack, run)
    expect(ended).toMatchObject({ state: 'published', branch: 'overnight/note/main', sandbox: 'bubblewrap', files: 1 })
    const { pulls } = await stack.get<{ pulls: Pull[] }>('/v1/pulls')
    expect(pulls.map(({ branch, head }) => ({ branch, head }))).toEqual([{ branch: ended.branch, head: ended.commit }])
    expect(await headOf('overnight/note/main')).toBe(ended.commit)
  })

  test('a source in the mounted folder is heard once its secret is there', async () => {
    const send = (path: string) =>
      fetch(new URL(path, stack.url), { method: 'POST', headers: { authorization: 'Bearer shared' }, body: '{"id":1}' })
    expect((await send('/hooks/orders')).status).toBe(503)
    await stack.compose(
      'exec',
      '-T',
      'server',
      'sh',
      '-c',
      'umask 077; mkdir -p /data/secrets; echo shared >/data/secrets/ORDERS',
    )
    expect((await send('/hooks/orders')).status).toBe(202)
    expect((await send('/hooks/nobody')).status).toBe(404)
  })

  test('nobody is root where agents are started, and no right is left', async () => {
    const status = await stack.compose(
      'exec',
      '-T',
      'worker-1',
      'sh',
      '-c',
      'grep -l overnight /proc/[0-9]*/cmdline | xargs -n1 dirname | while read p; do tr "\\0" " " <$p/cmdline; grep -E "^(Uid|CapBnd|CapEff|NoNewPrivs):" $p/status; done',
    )
    const worker = status.slice(status.indexOf('node '))
    expect(worker).toMatch(/^node \S+ worker/)
    expect(worker).toMatch(/Uid:\s+4747\s+4747\s+4747\s+4747/)
    expect(worker).toMatch(/CapEff:\s+0+\n/)
    expect(worker).toMatch(/CapBnd:\s+0+\n/)
    expect(worker).toMatch(/NoNewPrivs:\s+1/)
    // The model's key is no business of the server's.
    expect(await stack.compose('exec', '-T', 'server', 'sh', '-c', 'env')).not.toContain('ANTHROPIC')
  })

  test('a worker is killed in the middle of a run: the other one finishes it, once', async () => {
    const { run } = await stack.post<{ run: string }>('/v1/routines/slow/fire')
    const first = await vi.waitUntil(() => workerOf('slow'), { timeout: 30_000, interval: 200 })
    await docker.docker('kill', '--signal', 'KILL', first)
    const second = await vi.waitUntil(() => workerOf('slow'), { timeout: 60_000, interval: 200 })
    expect(second).not.toBe(first)
    writeFileSync(join(folder.path, 'gate'), '')
    const ended = await untilSettled(stack, run)
    expect(ended).toMatchObject({ state: 'published', branch: 'overnight/slow/main' })
    const { pulls } = await stack.get<{ pulls: Pull[] }>('/v1/pulls')
    expect(pulls.filter(({ branch }) => branch === ended.branch)).toHaveLength(1)
    expect(await headOf('overnight/slow/main')).toBe(ended.commit)
  })

  test('a worker is stopped in order in the middle of a run, with Redis gone: the other one takes it', async () => {
    await stack.compose('up', '--detach')
    rmSync(join(folder.path, 'gate'))
    const { run } = await stack.post<{ run: string }>('/v1/routines/slow/fire')
    const first = await vi.waitUntil(() => workerOf('slow'), { timeout: 30_000, interval: 200 })
    await stack.compose('stop', 'redis')
    await docker.docker('stop', '--time', '30', first)
    expect(await docker.docker('inspect', '--format', '{{.State.ExitCode}}', first)).toBe('0')
    await stack.compose('start', 'redis')
    await vi.waitUntil(() => workerOf('slow'), { timeout: 60_000, interval: 200 })
    writeFileSync(join(folder.path, 'gate'), '')
    // The base has not moved, so the same change is the same commit.
    expect(await untilSettled(stack, run)).toMatchObject({ state: 'unchanged', branch: 'overnight/slow/main' })
  })

  test('taken down, nothing is left', async () => {
    await stack[Symbol.asyncDispose]()
    expect(await docker.docker('ps', '--all', '--quiet')).toBe('')
    expect(await docker.docker('volume', 'ls', '--quiet')).toBe('')
    expect(await docker.docker('network', 'ls', '--quiet', '--filter', 'type=custom')).toBe('')
  })
})

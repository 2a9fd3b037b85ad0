import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, type Crew, type Settled } from '../support/crew.ts'
import { createRepository, git } from '../support/git-repository.ts'
import { baseFiles, deedsOn, type Deed, type Ends } from './deeds.ts'
import { filesWithSecret, filesWithTokens } from './secret-forms.ts'

/** It does what it is told, and nothing else. */
const gullible = `
const { files, sh } = JSON.parse(process.argv[1])
require('node:child_process').execFileSync('sh', ['-c', sh], { stdio: 'inherit' })
for (const [path, text] of Object.entries(files)) {
  require('node:fs').mkdirSync(require('node:path').dirname(path), { recursive: true })
  require('node:fs').writeFileSync(path, text)
}
console.log('Did all that it was told to do')`
const secret = 'kx Zq7/Lw9+mT4?vR2"pY8'

/** Everything that a change can be made of, by an agent in this sandbox. `prepare` answers what its service has to know. */
export function hostileOutput(sandbox: string, prepare = async (): Promise<Record<string, string>> => ({})): void {
  const ground = join(realpathSync(tmpdir()), `overnight-output-${randomUUID()}`)
  const marks = join(ground, 'marks')
  const canary = join(ground, 'canary')
  const elsewhere = join(ground, 'elsewhere')
  const deeds = deedsOn({ canary, elsewhere })
  const runs = new Map<string, Promise<Settled>>()
  let crew: Crew
  let repository: string
  let peakBytes = 0

  beforeAll(async () => {
    mkdirSync(marks, { recursive: true })
    writeFileSync(canary, `#!/bin/sh\n: > '${marks}'/$$\n`)
    chmodSync(canary, 0o755)
    createRepository(elsewhere, { 'theirs.md': 'nobody else sees it\n' })
    crew = await openCrew({ OVERNIGHT_SECRET_DEPLOY: secret, ...(await prepare()) })
    chmodSync(crew.place.folder, 0o755)
    repository = crew.repository('shop', baseFiles)
    for (const [name, deed] of Object.entries(deeds)) runs.set(name, done(`deed-${runs.size}`, deed))
    await Promise.allSettled(runs.values())
    peakBytes = peakOf(crew.service.pid)
  }, 400_000)
  afterAll(async () => {
    await crew?.[Symbol.asyncDispose]()
    rmSync(ground, { recursive: true, force: true })
  }, 60_000)

  async function done(name: string, { files = {}, sh = '' }: Pick<Deed, 'files' | 'sh'>): Promise<Settled> {
    const command = ['node', '-e', gullible, JSON.stringify({ files, sh })]
    return crew.settled(await crew.start(name, { command, repository, more: { sandbox } }))
  }
  /** What became of it. */
  async function tell({ run, branch, pullRequest, findings, ...ended }: Settled) {
    const changed = branch === null ? '' : git(repository, 'diff', '--no-renames', '--name-status', 'main', branch)
    return {
      ...ended,
      findings: findings.map(({ rule, path }) => `${rule} ${path}`),
      paths: findings.map(({ path }) => path),
      changed: changed.replaceAll('\t', ' ').split('\n'),
      isOut: branch !== null || pullRequest !== null,
      isKept: (await crew.diff(run).catch(() => '')).startsWith('diff --git '),
    }
  }

  test.for(Object.entries(deeds))('%s', async ([name, { ends }]) => {
    expect(await tell(await runs.get(name)!)).toMatchObject(asTold(ends))
  })

  test.for([
    ['a known secret in each of its forms', filesWithSecret(secret), /value of the secret DEPLOY$/],
    ['tokens by their look', filesWithTokens, /(adds|holds) what looks like /],
  ] as const)('%s: each file is named, and nothing is published or told', async ([, files, message]) => {
    const ended = await done(`secrets-${Object.keys(files).length}`, { files })
    expect(await tell(ended)).toMatchObject(waiting)
    const told = ended.findings.filter((finding) => message.test(finding.message)).map(({ path }) => path)
    const shown = (path: string) => path.replaceAll(encodeURIComponent(secret), '[secret DEPLOY]')
    expect(told.toSorted()).toEqual(Object.keys(files).map(shown).toSorted())
    const page = await (await crew.service.fetch(`/runs/${ended.run}`)).text()
    expect([await crew.diff(ended.run), JSON.stringify(ended), page].join('\n')).not.toContain(secret)
  })

  describe('and after all that', () => {
    test('branches are those of the changes that anybody may make', async () => {
      const published = Object.entries(deeds).filter(([, { ends }]) => 'publishes' in ends)
      const settled = await Promise.all(published.map(([name]) => runs.get(name)!))
      const branches = git(repository, 'branch', '--list', '--format=%(refname:short)', 'overnight/*')
      expect(branches.split('\n').toSorted()).toEqual(settled.map(({ branch }) => branch).toSorted())
      expect(await Promise.all(settled.map(({ run }) => crew.diff(run)))).not.toContain(
        expect.stringContaining('theirs'),
      )
    })

    test('nothing of it was run on this machine, where it would have run for an ordinary git', () => {
      expect(readdirSync(marks)).toEqual([])
      const tree = createRepository(join(ground, 'ordinary'))
      git(tree, 'config', 'core.fsmonitor', canary)
      git(tree, 'status')
      expect(readdirSync(marks)).not.toEqual([])
    })

    test('the service never needed a gigabyte of memory, and nothing is left', async () => {
      // 800 MB with all of them at once, a start having taken half of it.
      expect(peakBytes).toBeLessThan(1000 * 1024 ** 2)
      for (const { run } of await Promise.all(runs.values())) await crew.nothingLeft(run)
    })
  })
}

const waiting = {
  state: 'needs_approval',
  reason: 'policy',
  message: expect.stringMatching(/^.{10,300}$/) as string,
  isOut: false,
  isKept: true,
}

const allOf = (paths: string[]) => expect.arrayContaining(paths) as string[]

function asTold(ends: Ends): object {
  if ('publishes' in ends) return { state: 'published', findings: [], changed: ends.publishes }
  if ('waits' in ends) return { ...waiting, findings: ends.waits }
  if ('asks' in ends) return { ...waiting, paths: allOf(ends.asks) }
  const [reason, message] = ends.fails
  return { state: 'failed', reason, message: expect.stringMatching(message) as string, isOut: false }
}

/** The most memory that a process ever had. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

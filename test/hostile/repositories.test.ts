import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, sandboxes, type Crew, type Settled } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'
import { createHome, repositories, type Hostile } from './repositories.ts'

const { skip, title } = sandboxes[1]

// Whole runs on repositories that somebody else filled, for an operator whose own git would fall for them.
describe.skipIf(skip)(`repositories of others, in ${title}`, () => {
  const ground = join(realpathSync(tmpdir()), `overnight-repositories-${randomUUID()}`)
  const [marks, canary, secret] = ['marks', 'canary', 'secret'].map((name) => join(ground, name)) as [
    string,
    string,
    string,
  ]
  const runs = new Map<string, Promise<Settled>>()
  let crew: Crew
  let asked = 0
  const sink = createServer((_request, response) => {
    asked += 1
    response.end()
  })
  const home = join(ground, 'home')
  const pathOf = (name: string) => join(ground, `repository-${Object.keys(repositories).indexOf(name)}`)

  beforeAll(async () => {
    mkdirSync(marks, { recursive: true })
    writeFileSync(canary, `#!/bin/sh\n: > '${marks}'/$$\ncat\n`)
    chmodSync(canary, 0o755)
    writeFileSync(secret, 'kept-from-agents')
    await once(sink.listen(0, '127.0.0.1'), 'listening')
    const given = { canary, sink: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`, secret, folder: ground }
    crew = await openCrew({ HOME: createHome(home, canary) })
    for (const [index, [name, { make, sh }]] of Object.entries(repositories).entries()) {
      make(pathOf(name), given)
      const agent = { sh, repository: pathOf(name), more: { sandbox: 'bubblewrap' } }
      runs.set(name, crew.start(`hostile-${index}`, agent).then(crew.settled))
    }
    await Promise.allSettled(runs.values())
  }, 120_000)
  afterAll(async () => {
    await crew?.[Symbol.asyncDispose]()
    sink.close()
    rmSync(ground, { recursive: true, force: true })
  }, 60_000)

  const changed = (name: string, branch: string | null) =>
    branch === null ? [] : git(pathOf(name), 'diff', '--name-status', 'main', branch).replaceAll('\t', ' ').split('\n')

  test.for(Object.entries(repositories))('%s', async ([name, { ends }]) => {
    const ended = await runs.get(name)!
    const findings = ended.findings.map(({ rule, path }) => `${rule} ${path}`)
    expect({ ...ended, findings, changed: changed(name, ended.branch) }).toMatchObject(asTold(ends))
  })

  test('what they lead to is not told: environments, a file outside, other folders', async () => {
    const { run } = await runs.get('links to what is no file of it')!
    const diff = await crew.diff(run)
    expect(diff).toContain('+OVERNIGHT_RUN=')
    for (const kept of ['kept-from-agents', crew.place.data, 'OVERNIGHT_DATA', 'repository-0'])
      expect(diff).not.toContain(`+${kept}`)
    expect(diff).not.toContain('kept-from-agents')
  })

  test('files are the bytes that were committed', async () => {
    const { branch } = await runs.get('files that programs obey, filters among them that the operator’s own git knows')!
    const path = pathOf('files that programs obey, filters among them that the operator’s own git knows')
    expect(git(path, 'show', `${branch}:seen.txt`)).toBe(
      ['README.md', 'large.bin']
        .map((file) => readFileSync(join(path, file), 'utf8'))
        .join('')
        .trimEnd(),
    )
  })

  test('nothing of them was run or asked for on this machine, where the operator’s own git does it', () => {
    expect([readdirSync(marks), asked]).toEqual([[], 0])
    const path = pathOf('files that programs obey, filters among them that the operator’s own git knows')
    const env = { PATH: process.env['PATH'], HOME: home }
    spawnSync('git', ['clone', '--quiet', path, join(ground, 'clone')], { env, timeout: 20_000 })
    expect(readdirSync(marks)).not.toEqual([])
  })
})

function asTold(ends: Hostile['ends']): object {
  if ('publishes' in ends) return { state: 'published', findings: [], changed: ends.publishes }
  if ('waits' in ends) return { state: 'needs_approval', findings: ends.waits, changed: [] }
  const [reason, message] = ends.fails
  return { state: 'failed', reason, message: expect.stringMatching(message) as string, changed: [] }
}

import { expect, test } from 'vitest'
import { createGitHubDesk } from '../../../src/forges/github/desk.ts'
import { openGitHubGround } from '../../support/github/ground.ts'

const patience = { waitAtMostMs: 0, pauseMs: 1, spaced: false }

test('a commit is of a branch that stands at it or came over it; of no other, whatever that is called', async () => {
  await using ground = await openGitHubGround()
  const { github } = ground
  const auth = { kind: 'app' as const, appId: github.app.id, keyFile: github.app.keyFile }
  const desk = createGitHubDesk({ url: github.url, auth, patience })
  const name = 'acme/shop'
  const older = github.commit(name, 'our/topic', { 'a.txt': 'a' })
  const newer = github.commit(name, 'our/topic', { 'a.txt': 'b' })
  const { head, number } = await github.propose(name, { branch: 'theirs', files: { 'b.txt': 'b' }, fork: true })
  const isFromFork = (commit: string, branch: string) => desk.isFromFork(name, { branch, commit })
  expect(await isFromFork(newer, 'our/topic')).toBe(false)
  expect(await isFromFork(older, 'our/topic')).toBe(false)
  expect(await isFromFork(newer, 'main')).toBe(true)
  expect(await isFromFork(head, 'our/topic')).toBe(true)
  expect(await isFromFork(head, 'theirs')).toBe(true)
  expect(await isFromFork('f'.repeat(40), 'main')).toBe(true)
  expect(await desk.isFromFork(name, { pull: number })).toBe(true)
  const own = await github.propose(name, { branch: 'ours', files: { 'c.txt': 'c' } })
  expect(await desk.isFromFork(name, { pull: own.number })).toBe(false)
  const away = { method: 'GET', path: 'compare/', times: 9, answer: { status: 502, body: 'unicorn' } }
  github.fault(away)
  await expect(isFromFork(newer, 'our/topic')).rejects.toMatchObject({ retryable: true })
})

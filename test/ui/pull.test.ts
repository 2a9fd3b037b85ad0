import { expect, test } from 'vitest'
import { pullsElsewhere } from '../../src/http/pages/views.ts'
import { actionsOf } from '../../src/ui/actions.ts'
import { homePage } from '../../src/ui/home.ts'
import { outsidePull } from '../../src/ui/pull.ts'
import { home } from '../support/sample-edition.ts'
import { before, runOf } from '../support/sample-runs.ts'

const onGitHub = {
  state: 'published',
  title: 'Tidy the shop',
  branch: 'overnight/tidy/main',
  commit: 'a'.repeat(40),
  pull: 'acme/shop#7',
  pullNumber: 7,
  pullUrl: 'https://github.com/acme/shop/pull/7',
} as const

test('a pull request on GitHub is ready to review, linked, and merged there and not here', () => {
  const run = runOf({ id: 'r_gh', ...onGitHub })
  const pull = outsidePull(run)!
  expect(pull).toMatchObject({ id: 'acme/shop#7', number: 7, url: onGitHub.pullUrl, head: onGitHub.commit })
  expect(actionsOf(run, pull).map(({ verb }) => verb)).toEqual(['retry'])
  const view = home({ runs: [run], pulls: pullsElsewhere([run]) })
  expect(view.ready).toEqual([{ run, pull }])
  const page = String(homePage(view))
  expect(page).toContain('href="https://github.com/acme/shop/pull/7"')
  expect(page).toContain('Review acme/shop#7')
  expect(page).not.toMatch(/action="\/pulls\//)
})

test('runs that published to one pull request are one, as the newest left it; our own are not among them', () => {
  const [older, newer] = [
    runOf({ id: 'r_1', ...onGitHub, createdAt: before(99) }),
    runOf({ id: 'r_2', ...onGitHub, title: 'Tidier', createdAt: before(9) }),
  ]
  const unchanged = runOf({ id: 'r_3', ...onGitHub, state: 'unchanged', createdAt: before(1) })
  const ours = runOf({ id: 'r_4', ...onGitHub, pull: 'shop-1', pullUrl: '/pulls/shop-1' })
  const other = runOf({ id: 'r_5', ...onGitHub, pull: 'acme/shop#8', pullNumber: 8, createdAt: before(50) })
  expect(pullsElsewhere([older, unchanged, ours, newer, other]).map(({ id, title }) => [id, title])).toEqual([
    ['acme/shop#7', 'Tidier'],
    ['acme/shop#8', 'Tidy the shop'],
  ])
})

test.each(['javascript:alert(1)', 'https://evil.example/"><script>', 'not an address'])(
  'an address of a forge is never more than a link: %s',
  (pullUrl) => {
    const run = runOf({ id: 'r_odd', ...onGitHub, pullUrl })
    const page = String(homePage(home({ runs: [run], pulls: pullsElsewhere([run]) })))
    expect(page).not.toMatch(/href="javascript|<script>/)
  },
)

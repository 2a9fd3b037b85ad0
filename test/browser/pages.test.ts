import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deliveryPage } from '../../src/ui/delivery.ts'
import { homePage } from '../../src/ui/home.ts'
import { errorPage } from '../../src/ui/message.ts'
import { occasionsPage } from '../../src/ui/occasions.ts'
import { runPage } from '../../src/ui/run.ts'
import { signInPage } from '../../src/ui/sign-in.ts'
import { hasChromium, openBrowser, overflow, watch, type Browser } from '../support/browser.ts'
import { need } from '../support/need.ts'
import { deliveryOf, deliveryView, occasionsView } from '../support/occasion-views.ts'
import { openPageServer, type PageServer } from '../support/page-server.ts'
import { home, material } from '../support/sample-edition.ts'
import { publishedView, runView } from '../support/sample-run-page.ts'
import { before, clock, failing, needing, pulls, runOf, working } from '../support/sample-runs.ts'
import { agentStory } from '../support/sample-story.ts'

const chromium = need(hasChromium ? undefined : 'chromium')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const long = `${'averylongwordwithoutabreak'.repeat(12)}/${'path/'.repeat(60)}`
const pages = {
  home: () => homePage(home()),
  empty: () => homePage(home({ runs: [], pulls: [], slots: [], problems: [], schedules: [], routines: [] })),
  quiet: () => homePage(home({ runs: [], pulls: [], slots: [], problems: [], alerts: [] })),
  ready: () => homePage(home({ runs: material.runs.filter((run) => run !== needing) })),
  run: () => runPage(runView()),
  agent: () => runPage(runView({ story: agentStory })),
  published: () => runPage(publishedView()),
  failed: () => runPage(runView({ run: failing })),
  working: () => runPage(runView({ run: working, patch: null, story: [] })),
  occasions: () => occasionsPage(occasionsView()),
  'nothing-due': () => occasionsPage(occasionsView({ rows: [], routines: [], older: null })),
  'nothing-like-that': () => occasionsPage(occasionsView({ rows: [], routine: long, outcome: 'missed', older: null })),
  delivery: () => deliveryPage(deliveryView()),
  'owed-delivery': () =>
    deliveryPage(
      deliveryView({
        delivery: deliveryOf({ id: '7h4k9p2w5t8y1r3e', event: long, outcome: null, error: long, tries: 3 }),
        body: { text: long, cut: true, bytes: 26_000_000 },
      }),
    ),
  gone: () =>
    errorPage({ status: 404, message: `there is no run "${long}"`, hint: '`overnight runs` lists them' }, clock),
  'sign-in': () => signInPage({}, clock),
  'sign-in-link': () => signInPage({ key: 'k' }, clock),
}

test('a front page with 30 rows is at most 60 KB', () => {
  const runs = Array.from({ length: 30 }, (_, place) =>
    runOf({
      id: `r_${place}`,
      state: 'failed',
      reason: 'agent_exit',
      message: 'the agent ended with code 3; what it had changed is kept',
      files: 3,
      costUsd: 0.4,
      endedAt: before(place + 1),
    }),
  )
  const bytes = Buffer.byteLength(String(homePage(home({ runs }))))
  expect(bytes).toBeGreaterThan(10_000)
  expect(bytes).toBeLessThanOrEqual(60 * 1024)
})

test('the assets are within their budget, and pages carry no script or style of their own', () => {
  const lines = (name: string) =>
    readFileSync(new URL(`../../src/ui/assets/${name}`, import.meta.url), 'utf8').split('\n').length - 1
  expect(lines('overnight.css')).toBeLessThanOrEqual(300)
  expect(lines('live.js')).toBeLessThanOrEqual(100)
  for (const draw of Object.values(pages)) {
    expect(String(draw())).not.toMatch(/<style|style=|<script(?! src="\/assets\/live\.js"><\/script>)|\son[a-z]+=/)
  }
})

describe.skipIf(chromium.skip)(`pages in Chromium${chromium.note}`, () => {
  let server: PageServer
  let browser: Browser
  beforeAll(async () => {
    server = await openPageServer()
    browser = await openBrowser()
    for (const [name, draw] of Object.entries(pages)) server.put(`/${name}`, draw)
    server.put('/', pages.home)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  // Between the schemes nothing but colours differs.
  test.each([
    ['light', 'axe.run()'],
    ['dark', "axe.run({ runOnly: ['color-contrast'] })"],
  ] as const)('axe finds nothing on any page, %s', { timeout: 60_000 }, async (scheme, question) => {
    const reader = await browser.open({ scheme })
    const page = await reader.newPage()
    const seen = watch(page, server.origin)
    for (const name of Object.keys(pages)) {
      await page.goto(`${server.origin}/${name}`)
      await page.evaluate(axe)
      const found = await page.evaluate<{
        violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
      }>(question)
      const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
      expect.soft(violations, name).toEqual([])
    }
    expect(seen).toEqual({ console: [], dialogs: [], outside: [] })
    await reader.close()
  })

  test.each([320, 390, 768, 1440])(
    'nothing is wider than %d px, and every target is 44 px high',
    { timeout: 60_000 },
    async (width) => {
      const reader = await browser.open({ width })
      const page = await reader.newPage()
      for (const name of Object.keys(pages)) {
        await page.goto(`${server.origin}/${name}`)
        expect.soft(await overflow(page), name).toBe(0)
        const small = await page.evaluate<
          string[]
        >(`[...document.querySelectorAll('button, summary, .tabs a, .more a, .files a, .row h3 a')]
        .filter((one) => one.checkVisibility())
        .map((one) => [one.textContent.trim(), Math.round((one.closest('.row:has(h3 a)') ?? one).getBoundingClientRect().height)])
        .filter(([, height]) => height < 44).map(String)`)
        expect.soft(small, name).toEqual([])
      }
      await reader.close()
    },
  )

  test('without a script every button is a form that works, and every part is an anchor away', async () => {
    const reader = await browser.open({ script: false })
    const page = await reader.newPage()
    await page.goto(`${server.origin}/home`)
    await page.getByRole('button', { name: 'Publish' }).click()
    await page.goto(`${server.origin}/published`)
    await page.getByRole('button', { name: 'Merge' }).click()
    await page.goto(`${server.origin}/home`)
    await page.getByRole('button', { name: 'Run now: import-sorter' }).click()
    expect(server.posted).toEqual([
      { path: `/runs/${needing.id}/approve`, form: { back: '/' } },
      { path: `/pulls/${pulls[0]!.id}/merge`, form: { back: '/runs/r_01jd8h5n2e', head: pulls[0]!.head } },
      { path: '/routines/import-sorter/fire', form: { key: `page:${clock.now.toISOString()}` } },
    ])
    await page.goto(`${server.origin}/run`)
    await page.getByRole('link', { name: 'Facts' }).click()
    await expect.poll(() => page.locator('#facts-title').isVisible()).toBe(true)
    expect(await page.locator('#tools').isVisible()).toBe(false)
    await reader.close()
  })

  test('times are told in the reader’s zone; the zone of the service stays on hover', async () => {
    const reader = await browser.open({ zone: 'Asia/Tokyo' })
    const page = await reader.newPage()
    await page.clock.setFixedTime(clock.now)
    await page.goto(`${server.origin}/home`)
    const time = page.locator('#lead time')
    expect(await time.textContent()).toBe('12:00, 2 h ago')
    expect(await time.getAttribute('title')).toBe('Fri, 20 Nov 2026, 04:00:00, Europe/Berlin')
    expect(await page.locator('#zone').textContent()).toBe('Asia/Tokyo')
    await reader.close()
  })

  test('what the server tells of times, the browser tells too', async () => {
    const reader = await browser.open()
    const page = await reader.newPage()
    await page.clock.setFixedTime(clock.now)
    const told = () =>
      page.evaluate<string[]>("[...document.querySelectorAll('main time')].map((time) => time.textContent)")
    await page.goto(`${server.origin}/home`)
    const byBrowser = await told()
    const plain = await (await browser.open({ script: false })).newPage()
    await plain.goto(`${server.origin}/home`)
    const byServer = await plain.locator('main time').allTextContents()
    expect(byBrowser).toEqual(byServer)
    expect(byServer.length).toBeGreaterThan(10)
    await reader.close()
    await plain.context().close()
  })

  test('day or night: the switch wins over the system, and is remembered', async () => {
    const reader = await browser.open({ scheme: 'light' })
    const page = await reader.newPage()
    await page.goto(`${server.origin}/home`)
    const paper = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const day = await paper()
    await page.getByRole('button', { name: 'Day or night' }).click()
    expect(await paper()).toBe(day)
    await page.getByRole('button', { name: 'Day or night' }).click()
    const night = await paper()
    expect(night).not.toBe(day)
    await page.goto(`${server.origin}/run`)
    expect(await paper()).toBe(night)
    await reader.close()
  })

  test('keys: j and k walk, Enter opens, a letter goes to its button and presses it the second time', async () => {
    const reader = await browser.open()
    const page = await reader.newPage()
    const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()')
    await page.goto(`${server.origin}/home`)
    await page.keyboard.press('j')
    expect(await focused()).toBe('Moved the release workflow to Node 24')
    await page.keyboard.press('j')
    expect(await focused()).toBe('Sorted the imports of 14 files')
    await page.keyboard.press('k')
    expect(await focused()).toBe('Moved the release workflow to Node 24')
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    const posts = server.posted.length
    await page.keyboard.press('a')
    expect(await focused()).toBe('Publish')
    expect(server.posted.length).toBe(posts)
    await page.keyboard.press('a')
    await page.waitForURL(`${server.origin}/`)
    expect(server.posted.length).toBe(posts + 1)
    server.put(`/runs/${needing.id}`, pages.run)
    await page.goto(`${server.origin}/home`)
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/runs/${needing.id}`)
    await reader.close()
  })
})

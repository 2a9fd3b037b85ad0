import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BrowserContext, Page } from 'playwright-core'
import { homePage } from '../../src/ui/home.ts'
import { html } from '../../src/ui/html.ts'
import { runHead, runPage, type RunView } from '../../src/ui/run.ts'
import { storyItem, type StoryItem } from '../../src/ui/story.ts'
import { hasChromium, openBrowser, watch, type Browser } from '../support/browser.ts'
import { need } from '../support/need.ts'
import { openPageServer, type PageServer } from '../support/page-server.ts'
import { home, material } from '../support/sample-edition.ts'
import { runView } from '../support/sample-run-page.ts'
import { before, clock, failing, working } from '../support/sample-runs.ts'
import { agentStory } from '../support/sample-story.ts'

const chromium = need(hasChromium ? undefined : 'chromium')
const line = (text: string): StoryItem => ({
  kind: 'output',
  line: { at: before(1).toISOString(), stream: 'stdout', content: { type: 'text', text: `${text}\n` } },
})
const lines = (number: number) => Array.from({ length: number }, (_, place) => line(`line ${place + 1}`))
const appended = (text: string) =>
  String(html`<template data-into="told">${storyItem(line(text), { clock, before: line('before') })}</template>`)
const atWork = (story: StoryItem[]): RunView =>
  runView({ run: working, patch: null, events: [], story, live: '/live/run' })

describe.skipIf(chromium.skip)(`live pages in Chromium${chromium.note}`, () => {
  let server: PageServer
  let browser: Browser
  let reader: BrowserContext
  let page: Page
  beforeAll(async () => {
    server = await openPageServer()
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    reader = await browser.open()
    page = await reader.newPage()
    return () => reader.close()
  })
  async function visit(path: string, live: string): Promise<void> {
    const had = server.listeners(live)
    await page.goto(`${server.origin}${path}`)
    await expect.poll(() => server.listeners(live)).toBeGreaterThan(had)
  }

  test('a line is appended as text, a head replaced, and nothing is fetched for it', async () => {
    server.put('/run', () => runPage(atWork(lines(3))))
    const seen = watch(page, server.origin)
    await visit('/run', '/live/run')
    server.tell('/live/run', 'append', appended('<img src=x onerror=alert(1)>'))
    await expect.poll(() => page.locator('#told p').last().textContent()).toBe('<img src=x onerror=alert(1)>')
    expect(await page.locator('#told p').count()).toBe(4)
    server.tell('/live/run', 'put', String(runHead({ run: failing, pull: null, patch: null, clock })))
    await expect.poll(() => page.locator('h1').textContent()).toBe('The agent ended with an error')
    expect(await page.locator('#head').getAttribute('class')).toContain('fresh')
    expect(seen).toEqual({ console: [], dialogs: [], outside: [] })
  })

  test('an answer takes the place of its call, and can be unfolded', async () => {
    const [call, answer] = agentStory.filter((item) => item.kind === 'tool')
    const asked = { kind: 'tool', call: call!.call, answer: undefined } as const
    server.put('/run', () => runPage(atWork([line('before')])))
    await visit('/run', '/live/run')
    server.tell(
      '/live/run',
      'append',
      String(html`<template data-into="told">${storyItem(asked, { clock })}</template>`),
    )
    await page.locator('#tool-a').waitFor()
    server.tell('/live/run', 'put', String(storyItem({ ...asked, answer: answer!.answer }, { clock })))
    await page.locator('#tool-a summary').click()
    expect(await page.locator('#tool-a').textContent()).toContain('package.json:9')
    expect(await page.locator('#tool-a').getAttribute('open')).not.toBeNull()
  })

  test('the tail is followed by a reader who is there, and nobody else is moved', async () => {
    server.put('/run', () => runPage(atWork(lines(120))))
    await visit('/run', '/live/run')
    const distance = () =>
      page.evaluate<number>("document.getElementById('told').getBoundingClientRect().bottom - innerHeight")
    await page.evaluate("document.getElementById('told').scrollIntoView({ block: 'end', behavior: 'instant' })")
    expect(Math.abs(await distance())).toBeLessThan(2)
    for (let number = 1; number <= 20; number++) server.tell('/live/run', 'append', appended(`more ${number}`))
    await expect.poll(() => page.locator('#told p').count()).toBe(140)
    expect(Math.abs(await distance())).toBeLessThan(2)

    await page.evaluate('scrollTo({ top: 500, behavior: "instant" })')
    for (let number = 1; number <= 20; number++) server.tell('/live/run', 'append', appended(`again ${number}`))
    await expect.poll(() => page.locator('#told p').count()).toBe(160)
    expect(await page.evaluate('scrollY')).toBe(500)

    const timeline = () => page.evaluate<number>("document.getElementById('timeline').getBoundingClientRect().top")
    await page.evaluate("document.getElementById('timeline').scrollIntoView({ block: 'start', behavior: 'instant' })")
    const place = await timeline()
    for (let number = 1; number <= 20; number++) server.tell('/live/run', 'append', appended(`still ${number}`))
    await expect.poll(() => page.locator('#told p').count()).toBe(180)
    expect(Math.abs((await timeline()) - place)).toBeLessThan(2)
  })

  test('a reload keeps the place, the focus and what was folded, and marks what is new', async () => {
    let runs = material.runs.filter((run) => run !== failing)
    server.put('/', () => homePage(home({ runs, live: '/live/home' })))
    await visit('/', '/live/home')
    await page.getByRole('link', { name: 'The agent is at work' }).focus()
    const row = `document.querySelector('#run-${working.id} a')`
    const top = () => page.evaluate<number>(`${row}.getBoundingClientRect().top`)
    await page.evaluate("document.getElementById('running').scrollIntoView({ block: 'start', behavior: 'instant' })")
    const place = await top()
    runs = [...material.runs]
    server.tell('/live/home', 'reload', '')
    await expect.poll(() => page.locator(`#run-${failing.id}`).count()).toBe(1)
    expect(await page.locator('.fresh').count()).toBe(1)
    expect(await page.locator(`#run-${failing.id}`).getAttribute('class')).toContain('fresh')
    expect(Math.abs((await top()) - place)).toBeLessThan(2)
    expect(await page.evaluate('document.activeElement.textContent')).toBe('The agent is at work')
  })

  test('nothing changes while a finger is down', async () => {
    server.put('/run', () => runPage(atWork(lines(3))))
    await visit('/run', '/live/run')
    await page.mouse.move(200, 300)
    await page.mouse.down()
    server.tell('/live/run', 'append', appended('while pressed'))
    server.tell('/live/run', 'append', appended('and again'))
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
    expect(await page.locator('#told p').count()).toBe(3)
    await page.mouse.up()
    await expect
      .poll(() => page.locator('#told p').allTextContents())
      .toEqual(
        ['line 1', 'line 2', 'line 3', 'while pressed', 'and again'].map((text) => expect.stringContaining(text)),
      )
  })

  test('it says when it is offline, and catches up by itself', { timeout: 20_000 }, async () => {
    let story = lines(2)
    server.put('/run', () => runPage(atWork(story)))
    await visit('/run', '/live/run')
    await reader.setOffline(true)
    await expect.poll(() => page.locator('#news').textContent()).toMatch(/^Offline/)
    story = lines(5)
    await reader.setOffline(false)
    await expect.poll(() => page.locator('#told p').count(), { timeout: 8000 }).toBe(5)
    expect(await page.locator('#news').textContent()).toBe('')
  })
})

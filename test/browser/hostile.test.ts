import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { deliveryPage } from '../../src/ui/delivery.ts'
import { homePage } from '../../src/ui/home.ts'
import { occasionsPage } from '../../src/ui/occasions.ts'
import { runPage } from '../../src/ui/run.ts'
import { visible } from '../../src/ui/visible.ts'
import { hasChromium, openBrowser, watch, type Browser, type Misdeeds } from '../support/browser.ts'
import { nasty } from '../support/nasty.ts'
import { need } from '../support/need.ts'
import { deliveryView, occasionsView } from '../support/occasion-views.ts'
import { openPageServer, type PageServer } from '../support/page-server.ts'
import { poisonedDelivery, poisonedHome, poisonedOccasions, poisonedRun } from '../support/poison.ts'
import { home } from '../support/sample-edition.ts'
import { runView } from '../support/sample-run-page.ts'
import { pulls } from '../support/sample-runs.ts'

const chromium = need(hasChromium ? undefined : 'chromium')
const pages = {
  home: (text: string) => homePage(poisonedHome(home(), text)),
  run: (text: string) => runPage(poisonedRun(runView({ pull: pulls[0]! }), text)),
  delivery: (text: string) => deliveryPage(poisonedDelivery(deliveryView(), text)),
}
/** A list shows them all at once, each in every field of a row. */
const list = occasionsPage(
  occasionsView({
    rows: nasty.flatMap((text) => poisonedOccasions(occasionsView(), text).rows),
    routines: nasty,
    routine: nasty[13]!,
  }),
)

describe.skipIf(chromium.skip)(`text from outside stays text, in Chromium${chromium.note}`, () => {
  let server: PageServer
  let browser: Browser
  let page: Page
  let seen: Misdeeds
  beforeAll(async () => {
    server = await openPageServer()
    browser = await openBrowser()
    page = await (await browser.open({ width: 320 })).newPage()
    seen = watch(page, server.origin)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  test('there are enough nasty strings, all different', () => {
    expect(new Set(nasty).size).toBeGreaterThanOrEqual(60)
  })

  test.each(Object.entries(pages))(
    'every field of the %s page, with every nasty string',
    { timeout: 120_000 },
    async (name, draw) => {
      for (const text of nasty) {
        server.put(`/${name}`, () => draw(text))
        await page.goto(`${server.origin}/${name}`)
        const found = await look(page)
        expect.soft(found, text).toMatchObject({ foreign: [], pwned: null, overflow: 0 })
        expect.soft(found.heading.trim(), text).toContain(visible(text.trim()))
      }
      expect(seen).toEqual({ console: [], dialogs: [], outside: [] })
    },
  )

  test('every field of the list of slots and events, with all nasty strings at once', async () => {
    server.put('/occasions', () => list)
    await page.goto(`${server.origin}/occasions`)
    expect(await look(page)).toMatchObject({ foreign: [], pwned: null, overflow: 0 })
    const told = await page.locator('.row .kicker .fact:first-child').allTextContents()
    const missing = nasty.filter((text) => !told.some((one) => one.includes(visible(text.trim()))))
    expect(missing).toEqual([])
    expect(seen).toEqual({ console: [], dialogs: [], outside: [] })
  })

  test('the watch would have noticed: markup that is let through is reported', async () => {
    const own = await browser.open()
    const careless = await own.newPage()
    const noticed = watch(careless, server.origin)
    await careless.goto(`${server.origin}/home`)
    await careless.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(nasty[13])})`)
    await expect.poll(() => noticed.console.join()).toContain('Content Security Policy')
    expect((await look(careless)).foreign).not.toEqual([])
    await own.close()
  })
})

type Look = { foreign: string[]; pwned: unknown; overflow: number; heading: string }

/** All that is asked of a page, in one question. */
function look(page: Page): Promise<Look> {
  return page.evaluate<Look>(`({
    foreign: ${foreignMarkup},
    pwned: window.pwned ?? null,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    heading: document.querySelector('h1').textContent,
  })`)
}

/** Elements and attributes that our pages never have. */
const foreignMarkup = `[...document.querySelectorAll('*')].flatMap((element) => {
  const name = element.localName
  const wrong = [...element.attributes]
    .filter(({ name, value }) => name.startsWith('on') || name === 'style' || name === 'srcdoc' || name === 'formaction' ||
      (name === 'href' && !/^(https:|[/#])/.test(value)) || (name === 'action' && !/^[/][^/]/.test(value)))
    .map(({ name }) => name)
  const isForeign = ['img', 'iframe', 'object', 'embed', 'video', 'audio', 'style', 'base', 'math', 'marquee', 'xmp', 'noscript', 'template', 'textarea'].includes(name) ||
    (name === 'script' && element.getAttribute('src') !== '/assets/live.js') || (name === 'link' && !element.getAttribute('href').startsWith('/assets/')) ||
    (name === 'meta' && element.httpEquiv !== '') || (name === 'svg' && !element.matches('.bar'))
  return isForeign || wrong.length > 0 ? [name + ' ' + wrong.join()] : []
})`

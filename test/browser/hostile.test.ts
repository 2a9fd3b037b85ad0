import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { homePage } from '../../src/ui/home.ts'
import { runPage } from '../../src/ui/run.ts'
import { visible } from '../../src/ui/visible.ts'
import { hasChromium, openBrowser, overflow, watch, type Browser, type Misdeeds } from '../support/browser.ts'
import { nasty } from '../support/nasty.ts'
import { need } from '../support/need.ts'
import { openPageServer, type PageServer } from '../support/page-server.ts'
import { poisonedHome, poisonedRun } from '../support/poison.ts'
import { home, pulls, runView } from '../support/views.ts'

const chromium = need(hasChromium ? undefined : 'chromium')
const pages = {
  home: (text: string) => homePage(poisonedHome(home(), text)),
  run: (text: string) => runPage(poisonedRun(runView({ pull: pulls[0]! }), text)),
}

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
        expect.soft(await foreignMarkup(page), text).toEqual([])
        expect.soft(await page.evaluate<unknown>('window.pwned'), text).toBeUndefined()
        expect.soft(await overflow(page), text).toBe(0)
        const heading = await page.evaluate<string>("document.querySelector('h1').textContent")
        expect.soft(heading.trim(), text).toBe(visible(text.trim()))
      }
      expect(seen).toEqual({ console: [], dialogs: [], outside: [] })
    },
  )

  test('the watch would have noticed: markup that is let through is reported', async () => {
    const own = await browser.open()
    const careless = await own.newPage()
    const noticed = watch(careless, server.origin)
    await careless.goto(`${server.origin}/home`)
    await careless.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(nasty[13])})`)
    await expect.poll(() => noticed.console.join()).toContain('Content Security Policy')
    expect(await foreignMarkup(careless)).not.toEqual([])
    await own.close()
  })
})

/** Elements and attributes that our pages never have. */
function foreignMarkup(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('*')].flatMap((element) => {
    const name = element.localName
    const wrong = [...element.attributes]
      .filter(({ name, value }) => name.startsWith('on') || name === 'style' || name === 'srcdoc' || name === 'formaction' ||
        (name === 'href' && !/^(https:|[/#])/.test(value)) || (name === 'action' && !/^[/][^/]/.test(value)))
      .map(({ name }) => name)
    const isForeign = ['img', 'iframe', 'object', 'embed', 'video', 'audio', 'style', 'base', 'math', 'marquee', 'xmp', 'noscript', 'template', 'textarea'].includes(name) ||
      (name === 'script' && element.getAttribute('src') !== '/assets/live.js') || (name === 'link' && !element.getAttribute('href').startsWith('/assets/')) ||
      (name === 'meta' && element.httpEquiv !== '') || (name === 'svg' && !element.matches('.bar'))
    return isForeign || wrong.length > 0 ? [name + ' ' + wrong.join()] : []
  })`)
}

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'

const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
export const hasChromium = existsSync(chromiumPath)

/** What a person's device brings along. */
type Reader = {
  width?: number
  height?: number
  scheme?: 'light' | 'dark'
  zone?: string
  script?: boolean
  still?: boolean
}

export type Browser = AsyncDisposable & { open(reader?: Reader): Promise<BrowserContext> }

/** The Chromium of the system with a profile of its own, which is gone afterwards. It makes no calls of its own. */
export async function openBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'overnight-chromium-'))
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  const args = [
    '--no-sandbox',
    '--disable-component-update',
    '--disable-sync',
    `--crash-dumps-dir=${profile}`,
    ...quiet,
  ]
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args,
    env: { HOME: profile, TMPDIR: profile },
  })
  return {
    open: ({ width = 390, height = 844, scheme = 'light', zone = 'Europe/Berlin', script = true, still = true } = {}) =>
      browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        timezoneId: zone,
        javaScriptEnabled: script,
        reducedMotion: still ? 'reduce' : 'no-preference',
      }),
    async [Symbol.asyncDispose]() {
      await browser.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Everything a page should not do: complain, run what it should not, or ask for anything elsewhere. */
export type Misdeeds = { console: string[]; dialogs: string[]; outside: string[] }

export function watch(page: Page, origin: string): Misdeeds {
  const seen: Misdeeds = { console: [], dialogs: [], outside: [] }
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') seen.console.push(message.text())
  })
  page.on('pageerror', (error) => seen.console.push(error.message))
  page.on('dialog', (dialog) => {
    seen.dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) seen.outside.push(request.url())
  })
  return seen
}

/** How far the page is wider than the screen, in CSS pixels; 0 = nothing has to be scrolled sideways. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { deliveryPage } from '../src/ui/delivery.ts'
import { homePage } from '../src/ui/home.ts'
import { errorPage } from '../src/ui/message.ts'
import { occasionsPage } from '../src/ui/occasions.ts'
import { runPage } from '../src/ui/run.ts'
import { signInPage } from '../src/ui/sign-in.ts'
import type { Page } from 'playwright-core'
import { openBrowser, type Browser } from './support/browser.ts'
import { openMorning } from './support/morning.ts'
import { deliveryView, occasionsView } from './support/occasion-views.ts'
import { openPageServer } from './support/page-server.ts'
import { home } from './support/sample-edition.ts'
import { publishedView, runView } from './support/sample-run-page.ts'
import { before, clock, failing, working } from './support/sample-runs.ts'
import { agentStory, story } from './support/sample-story.ts'

/** `npm run shots [-- name…]`: every page at four widths in both schemes, into `shots/`; `morning-*` are of a real service. */
const folder = resolve(import.meta.dirname, '../shots')
const widths = [320, 390, 768, 1440]
const pages = {
  home: () => homePage(home()),
  quiet: () => homePage(home({ runs: [], pulls: [], slots: [], problems: [], alerts: [] })),
  held: () =>
    homePage(
      home({
        runs: [],
        pulls: [],
        pauses: [{ routine: null, whole: true, at: before(40), by: 'ada', reason: 'the move' }],
      }),
    ),
  empty: () =>
    homePage(home({ runs: [], pulls: [], slots: [], problems: [], alerts: [], schedules: [], routines: [] })),
  run: () => runPage(runView()),
  agent: () => runPage(runView({ story: agentStory })),
  published: () => runPage(publishedView()),
  failed: () => runPage(runView({ run: failing })),
  working: () => runPage(runView({ run: working, patch: null, story: story.slice(0, 4) })),
  occasions: () => occasionsPage(occasionsView()),
  delivery: () => deliveryPage(deliveryView()),
  gone: () => errorPage({ status: 404, message: 'there is no run "r_01"', hint: '`overnight runs` lists them' }, clock),
  'sign-in': () => signInPage({}, clock),
}

type Shot = { name: string; url: string; prepare(page: Page): Promise<unknown> }

async function shoot(browser: Browser, { name, url, prepare }: Shot): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of widths) {
      const reader = await browser.open({ width, height: width < 500 ? 700 : 900, scheme })
      const page = await reader.newPage()
      await prepare(page)
      await page.goto(url)
      await page.screenshot({ path: resolve(folder, `${name}-${width}-${scheme}.png`), fullPage: true })
      await reader.close()
    }
  }
  console.log(`shots/${name}-*.png`)
}

const asked = process.argv.slice(2)
const isWanted = (name: string) => asked.length === 0 || asked.includes(name)
await using browser = await openBrowser()
await mkdir(folder, { recursive: true })

await using server = await openPageServer()
for (const [name, draw] of Object.entries(pages).filter(([page]) => isWanted(page))) {
  server.put(`/${name}`, draw)
  await shoot(browser, { name, url: `${server.origin}/${name}`, prepare: (page) => page.clock.setFixedTime(clock.now) })
}

if (isWanted('morning')) {
  await using morning = await openMorning()
  const signIn = async (page: Page) => {
    await page.goto(await morning.signInLink())
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  await shoot(browser, { name: 'morning-home', url: morning.url, prepare: signIn })
  await shoot(browser, { name: 'morning-run', url: `${morning.url}/runs/${morning.published}`, prepare: signIn })
}

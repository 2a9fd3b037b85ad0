import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { homePage } from '../src/ui/home.ts'
import { errorPage } from '../src/ui/message.ts'
import { runPage } from '../src/ui/run.ts'
import { signInPage } from '../src/ui/sign-in.ts'
import { openBrowser } from './support/browser.ts'
import { openPageServer } from './support/page-server.ts'
import { clock, failing, home, publishedView, runView, story, working } from './support/views.ts'

/** `npm run shots [-- name…]`: every page at four widths in both schemes, into `shots/`. */
const folder = resolve(import.meta.dirname, '../shots')
const widths = [320, 390, 768, 1440]
const pages = {
  home: () => homePage(home()),
  quiet: () => homePage(home({ runs: [], pulls: [], slots: [], problems: [] })),
  empty: () => homePage(home({ runs: [], pulls: [], slots: [], problems: [], schedules: [], routines: [] })),
  run: () => runPage(runView()),
  published: () => runPage(publishedView()),
  failed: () => runPage(runView({ run: failing })),
  working: () => runPage(runView({ run: working, patch: null, story: story.slice(0, 4) })),
  gone: () => errorPage({ status: 404, message: 'there is no run "r_01"', hint: '`overnight runs` lists them' }, clock),
  'sign-in': () => signInPage({}, clock),
}

await using server = await openPageServer()
await using browser = await openBrowser()
await mkdir(folder, { recursive: true })
const wanted = process.argv.slice(2)
for (const [name, draw] of Object.entries(pages)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  server.put(`/${name}`, draw)
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of widths) {
      const reader = await browser.open({ width, height: width < 500 ? 700 : 900, scheme })
      const page = await reader.newPage()
      await page.clock.setFixedTime(clock.now)
      await page.goto(`${server.origin}/${name}`)
      await page.screenshot({ path: resolve(folder, `${name}-${width}-${scheme}.png`), fullPage: true })
      await reader.close()
    }
  }
  console.log(`shots/${name}-*.png`)
}

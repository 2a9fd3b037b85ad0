import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasChromium, openBrowser, overflow, watch } from '../support/browser.ts'
import { createRepository, git, openFolder } from '../support/git-repository.ts'
import { need } from '../support/need.ts'
import { startService, untilSettled } from '../support/service-process.ts'

const { skip, note } = need(hasChromium ? undefined : 'Chromium')

const routine = (repository: string, description: string, script: string) =>
  `---\ndescription: ${description}\nrepository: ${JSON.stringify(repository)}\nsandbox: process\nengine: { name: command, command: [sh, -c, ${JSON.stringify(script)}] }\n---\n`

test.skipIf(skip)(`a person reads the morning edition on a phone, publishes, merges and cancels${note}`, async () => {
  using folder = openFolder()
  const repository = createRepository(join(folder.path, 'shop'))
  const routines = join(folder.path, 'routines')
  const data = join(folder.path, 'data')
  for (const path of [routines, data]) mkdirSync(path)
  writeFileSync(
    join(routines, 'tidy.md'),
    routine(repository, 'Tidies', 'echo more >> README.md; echo Tidied the README of the shop'),
  )
  writeFileSync(
    join(routines, 'guard.md'),
    routine(
      repository,
      'Adds a workflow',
      'mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; echo Wrote a workflow for the checks',
    ),
  )
  writeFileSync(
    join(routines, 'watch.md'),
    routine(repository, 'Watches', 'i=0; while true; do i=$((i+1)); echo looked $i times; sleep 0.3; done'),
  )
  await using service = await startService({ data, routines })
  const fire = async (name: string) => (await service.post<{ run: string }>(`/v1/routines/${name}/fire`)).run
  await untilSettled(service, await fire('tidy'))
  expect(await untilSettled(service, await fire('guard'))).toMatchObject({ state: 'needs_approval' })

  await using browser = await openBrowser()
  const reader = await browser.open({ width: 390 })
  const page = await reader.newPage()
  const misdeeds = watch(page, service.url)
  const { path } = await service.post<{ path: string }>('/v1/sign-in-links')

  await page.goto(new URL(path, service.url).href)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Wrote a workflow for the checks' }).waitFor()
  expect(await page.locator('#lead').textContent()).toContain('Needs you')
  expect(await overflow(page)).toBe(0)

  // The page hears of it by itself: no reload, no click.
  const watching = await fire('watch')
  await page.locator(`#run-${watching}`).waitFor()

  await page.getByRole('link', { name: 'Read the change' }).click()
  expect(await page.locator('#changes').textContent()).toContain('.github/workflows/ci.yml')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByRole('button', { name: 'Merge' }).waitFor()
  expect(git(repository, 'branch', '--list', 'overnight/*')).toContain('overnight/guard/main')

  await page.goto(service.url)
  await page.locator('#ready').or(page.locator('#lead')).first().waitFor()
  await page.getByRole('link', { name: 'Tidied the README of the shop' }).first().click()
  await page.getByRole('button', { name: 'Merge' }).click()
  await page
    .getByText(/merged/)
    .first()
    .waitFor()
  expect(git(repository, 'log', '-1', '--format=%s', 'main')).toBe('Tidied the README of the shop')

  await page.goto(`${service.url}/runs/${watching}`)
  await page.locator('#told').getByText('looked 3 times').waitFor()
  const told = await page.locator('#told > *').count()
  await expect.poll(() => page.locator('#told > *').count()).toBeGreaterThan(told)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('heading', { name: 'Cancelled' }).waitFor()
  expect(await untilSettled(service, watching)).toMatchObject({ state: 'cancelled', reason: 'cancelled' })
  expect(misdeeds).toEqual({ console: [], dialogs: [], outside: [] })
})

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlace, routineText } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

type Row = { name: string; description: string; hash: string; error: string | null; next: string | null }
const routinesOf = async (service: ServiceProcess) => (await service.get<{ routines: Row[] }>('/v1/routines')).routines
const find = async (service: ServiceProcess, name: string) =>
  (await routinesOf(service)).find((row) => row.name === name)
/** How soon a change of the folder is promised to be in force. */
const soon = { timeout: 2000, interval: 50 }

test('the folder is watched: what is new, changed, broken, repaired and removed is in force within 2 s', async () => {
  using place = await openPlace()
  place.routine('steady', { more: { description: 'first' } })
  await using service = await place.start()
  expect((await find(service, 'steady'))?.description).toBe('first')

  place.routine('fresh')
  await expect.poll(() => find(service, 'fresh'), soon).toBeDefined()

  place.routine('steady', { more: { description: 'second', on: { schedule: { cron: '0 3 * * *', timezone: 'UTC' } } } })
  await expect
    .poll(() => find(service, 'steady'), soon)
    .toMatchObject({ description: 'second', next: expect.stringContaining('T03:00:00') as string })

  // An editor that saves by renaming.
  const file = place.routine('steady', { more: { description: 'third' } })
  writeFileSync(`${file}.tmp`, routineText({ repository: place.repository, more: { description: 'fourth' } }))
  renameSync(`${file}.tmp`, file)
  await expect
    .poll(() => find(service, 'steady'), soon)
    .toMatchObject({ description: 'fourth', next: null, error: null })
  const good = (await find(service, 'steady'))!

  writeFileSync(file, '---\nrepositry: x\n---\n')
  await expect
    .poll(() => find(service, 'steady'), soon)
    .toMatchObject({
      description: 'fourth',
      hash: good.hash,
      error: expect.stringMatching(/steady\.md:2:1.*repository/s) as string,
    })
  expect(service.log()).toMatch(/"routine":"steady","msg":"the file is broken; the last good version stays in force"/)
  const fired = await service.post<{ run: string }>('/v1/routines/steady/fire')
  expect(await untilSettled(service, fired.run)).toMatchObject({ state: 'published' })

  rmSync(join(place.routines, 'fresh.md'))
  await expect.poll(() => find(service, 'fresh'), soon).toBeUndefined()
  expect((await service.fetch('/v1/routines/fresh/fire', { method: 'POST' })).status).toBe(404)

  place.routine('steady', { more: { description: 'fifth' } })
  await expect.poll(() => find(service, 'steady'), soon).toMatchObject({ description: 'fifth', error: null })
})

test('a restart with a broken file goes on with the last good version, and a new broken file hides nothing', async () => {
  using place = await openPlace()
  const file = place.routine('steady', {
    more: { description: 'good', on: { schedule: { cron: '0 3 * * *', timezone: 'UTC' } } },
  })
  place.routine('other')
  {
    await using first = await place.start()
    expect(await find(first, 'steady')).toMatchObject({ description: 'good' })
  }
  writeFileSync(file, '---\ndescription: [\n')
  writeFileSync(join(place.routines, 'never-good.md'), '---\nrepositry: x\n---\n')
  await using service = await place.start()
  expect(await find(service, 'steady')).toMatchObject({
    description: 'good',
    next: expect.stringContaining('T03:00:00') as string,
    error: expect.stringContaining('steady.md') as string,
  })
  expect(await find(service, 'other')).toMatchObject({ error: null })
  expect(await find(service, 'never-good')).toBeUndefined()
  const { problems } = await service.get<{ problems: { file: string; line: number; message: string }[] }>(
    '/v1/routines',
  )
  expect(problems.map((problem) => problem.file.split('/').at(-1))).toEqual(['never-good.md', 'steady.md'])

  const fired = await service.post<{ run: string }>('/v1/routines/steady/fire')
  expect(await untilSettled(service, fired.run)).toMatchObject({ state: 'published' })
})

test('a routine that asks for what does not exist yet is in force, and its run ends naming the key', async () => {
  using place = await openPlace()
  place.routine('wishful', { more: { limits: { usd: 5 } } })
  await using service = await place.start()
  const { run } = await service.post<{ run: string }>('/v1/routines/wishful/fire')
  const ended = await untilSettled(service, run)
  expect(ended).toMatchObject({ state: 'failed', reason: 'not_available', branch: null })
  expect(ended.message).toMatch(/wishful\.md:\d+:\d+: .*money/)
})

test('a folder that is not there yet is waited for, and one that vanishes forgets nothing', async () => {
  using place = await openPlace()
  rmSync(place.routines, { recursive: true })
  await using service = await place.start()
  expect(await routinesOf(service)).toEqual([])

  mkdirSync(place.routines)
  place.routine('steady', { more: { on: { schedule: { cron: '0 3 * * *', timezone: 'UTC' } } } })
  await expect.poll(() => find(service, 'steady'), soon).toBeDefined()

  // A disk that was unmounted, say.
  renameSync(place.routines, `${place.routines} elsewhere`)
  const problems = async () => (await service.get<{ problems: { message: string }[] }>('/v1/routines')).problems
  await expect
    .poll(problems, { timeout: 5000 })
    .toEqual([expect.objectContaining({ message: 'there is no such folder' })])
  expect(await find(service, 'steady')).toMatchObject({ next: expect.any(String) as string })
  renameSync(`${place.routines} elsewhere`, place.routines)
  await expect.poll(() => find(service, 'steady'), soon).toMatchObject({ error: null })
})

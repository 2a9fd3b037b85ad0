import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/crew.ts'
import { openApp, type Asker } from '../support/app.ts'
import { openPlace, type Place } from '../support/place.ts'

const tellsEvent = `require('fs').copyFileSync(process.env.OVERNIGHT_EVENT_FILE, process.argv[1])`
const waitsFor = `const fs = require('fs'); while (!fs.existsSync(process.argv[1])) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)`

let place: Place
let app: Asker
beforeAll(async () => {
  place = await openPlace()
  const ends = ['published', 'unchanged']
  place.routine('first')
  place.routine('second', {
    program: tellsEvent,
    args: [join(place.folder, 'told.json')],
    more: { on: { after: { routine: 'first' } } },
  })
  place.routine('ping', { program: '0', more: { on: { after: { routine: 'pong', ends } } } })
  place.routine('pong', { program: '0', more: { on: { after: { routine: 'ping', ends } } } })
  place.routine('gone', {
    program: `${waitsFor}; console.log('was here')`,
    args: [join(place.folder, 'go')],
    more: { overlap: 'queue_all' },
  })
  app = await openApp(place, { OVERNIGHT_CONCURRENCY: '2' })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const fire = async (routine: string) =>
  (
    await app.ask(`/v1/routines/${routine}/fire`, {
      method: 'POST',
      body: {},
      headers: { 'overnight-client': 'cli' },
    })
  ).json['run'] as string
type Listed = { run: string; state: string; endedAt: string | null }
const runsOf = async (routine: string) => (await app.ask(`/v1/runs?routine=${routine}`)).json['runs'] as Listed[]
/** The runs of a routine once there are so many and all have ended, oldest first. */
async function ended(routine: string, count: number): Promise<Listed[]> {
  await until(20, async () => {
    const runs = await runsOf(routine)
    return runs.length === count && runs.every((run) => run.endedAt !== null) ? [] : [runs]
  })
  return (await runsOf(routine)).toReversed()
}
const output = async (run: string) => (await app.ask(`/v1/runs/${run}/events?follow=no`)).text

test('a routine follows another, and is told how that one ended', async () => {
  const first = await fire('first')
  expect(await app.settled(first)).toMatchObject({ state: 'published' })
  await ended('second', 1)
  expect(JSON.parse(readFileSync(join(place.folder, 'told.json'), 'utf8'))).toMatchObject({
    trigger: 'routine',
    events: [],
    previous: { run: first, routine: 'first', state: 'published', branch: 'overnight/first/main' },
  })
})

test('two routines that fire each other stop three steps from the cause', async () => {
  await fire('ping')
  expect((await ended('ping', 2)).map((run) => run.state)).toEqual(['unchanged', 'unchanged'])
  expect((await ended('pong', 2)).map((run) => run.state)).toEqual(['unchanged', 'unchanged'])
})

test('runs of a routine that is renamed while they are owed end as they were fired; the old name is gone', async () => {
  const runs = [await fire('gone'), await fire('gone')]
  // What is owed says what it waits for.
  await until(20, async () => {
    const { waitsFor } = (await app.ask(`/v1/runs/${runs[1]}`)).json
    return waitsFor === `run ${runs[0]} to end` ? [] : [waitsFor]
  })
  renameSync(join(place.routines, 'gone.md'), join(place.routines, 'here.md'))
  await until(20, async () => {
    const { routines } = (await app.ask('/v1/routines')).json as { routines: { name: string }[] }
    const names = routines.map(({ name }) => name)
    return names.includes('here') ? names.filter((name) => name === 'gone') : names
  })
  expect((await app.ask('/v1/routines/gone/fire', { method: 'POST', body: {} })).status).toBe(404)
  writeFileSync(join(place.folder, 'go'), '')
  for (const run of runs) {
    expect(await app.settled(run)).toMatchObject({ state: 'unchanged' })
    expect(await output(run)).toContain('was here')
  }
  expect((await runsOf('gone')).map(({ run }) => run).toSorted()).toEqual(runs.toSorted())
  expect(await app.settled(await fire('here'))).toMatchObject({ state: 'unchanged' })
  expect((await runsOf('here')).length).toBe(1)
})

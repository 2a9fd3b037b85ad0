import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { git } from '../support/git-repository.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

const script = resolve(import.meta.dirname, '../faults/crashing-service.ts')
const names = ['one', 'two', 'three']

/** Routines, whose agents write down that they started, wait for the gate, and change a file of their own. */
function writeRoutines(place: Place): { gate: string; starts: () => string[] } {
  const [gate, journal] = [join(place.folder, 'gate'), join(place.folder, 'journal')]
  for (const name of names) {
    place.routine(name, {
      args: [gate, journal, name],
      program: `const fs = require('fs'); const [, gate, journal, name] = process.argv
        fs.appendFileSync(journal, name + '\\n')
        const timer = setInterval(() => {
          if (!fs.existsSync(gate)) return
          clearInterval(timer); fs.writeFileSync(name + '.md', name)
        }, 20)`,
    })
  }
  const starts = () => (existsSync(journal) ? readFileSync(journal, 'utf8').trimEnd().split('\n') : [])
  return { gate, starts }
}

async function fireAll(service: ServiceProcess): Promise<string[]> {
  const fired = await Promise.all(names.map((name) => service.post<{ run: string }>(`/v1/routines/${name}/fire`)))
  return fired.map(({ run }) => run)
}

/** Every run published, and each routine has its one branch and its one pull request. */
async function expectAllPublished(service: ServiceProcess, place: Place, runs: string[]): Promise<void> {
  const ended = await Promise.all(runs.map((run) => untilSettled(service, run)))
  expect(ended.map(({ state }) => state)).toEqual(names.map(() => 'published'))
  const { pulls } = await service.get<{ pulls: { branch: string; head: string }[] }>('/v1/pulls')
  expect(pulls.map((pull) => pull.branch).sort()).toEqual(names.map((name) => `overnight/${name}/main`).sort())
  const heads = git(
    place.repository,
    'for-each-ref',
    '--format=%(refname:short) %(objectname)',
    'refs/heads/overnight',
  ).split('\n')
  expect(heads.sort()).toEqual(pulls.map((pull) => `${pull.branch} ${pull.head}`).sort())
}

test('the queue is emptied while runs wait in it: all of them end anyway, each agent started once', async () => {
  using place = await openPlace()
  const { gate, starts } = writeRoutines(place)
  await using service = await place.start({ script, env: { OVERNIGHT_CONCURRENCY: '2' } })
  const runs = await fireAll(service)
  await expect.poll(() => starts().length, { timeout: 20_000 }).toBe(2)

  service.kill('SIGUSR2')
  await expect.poll(service.log, { timeout: 10_000 }).toContain('the queue is empty')
  writeFileSync(gate, '')
  await expectAllPublished(service, place, runs)
  expect(starts().sort()).toEqual([...names].sort())
})

test('the queue is emptied after everything was handed to it and nothing was taken', async () => {
  using place = await openPlace()
  const { gate, starts } = writeRoutines(place)
  writeFileSync(gate, '')
  for (const name of names) await place.overnight(['fire', name, '--json'])
  // The next life hands all to the queue at once, and loses it as often.
  await using service = await place.start({ script, env: { OVERNIGHT_CONCURRENCY: '3' } })
  service.kill('SIGUSR2')
  service.kill('SIGUSR2')
  const { runs } = await service.get<{ runs: { run: string }[] }>('/v1/runs')
  expect(runs.length).toBe(names.length)
  await expectAllPublished(
    service,
    place,
    runs.map(({ run }) => run),
  )
  expect(new Set(starts())).toEqual(new Set(names))
})

test('kill -9 while three runs are queued and at work, three times at another moment: all end, one pull request each', async () => {
  using place = await openPlace()
  const { gate } = writeRoutines(place)
  writeFileSync(gate, '')
  let runs: string[] = []
  for (const endedBefore of [0, 1, 2]) {
    const service = await place.start({ env: { OVERNIGHT_CONCURRENCY: '2' } })
    if (endedBefore === 0) runs = await fireAll(service)
    const ended = async () => {
      const { runs: all } = await service.get<{ runs: { state: string }[] }>('/v1/runs')
      return all.filter(({ state }) => state === 'published').length
    }
    await expect.poll(ended, { timeout: 20_000, interval: 20 }).toBeGreaterThanOrEqual(endedBefore)
    service.kill('SIGKILL')
    expect((await service.exit).signal).toBe('SIGKILL')
  }
  await using service = await place.start()
  await expectAllPublished(service, place, runs)
})

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readdir } from 'node:fs/promises'
import { leftOf, processesCalled, sandboxes, until } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'
import { openPlace, type Place } from '../support/place.ts'
import { untilSettled, type ServiceProcess } from '../support/service-process.ts'

/** Long enough that most kills meet it at work; its children have left its session and would live for hours. */
const agent = (
  seconds: string,
) => `(setsid sh -c 'trap "" TERM HUP; (setsid sleep ${seconds} &); sleep ${seconds}' >/dev/null 2>&1 &)
  echo up; sleep 1; seq 9 > numbers.txt; echo 'Wrote the numbers that were missing'`
const longestMs = 2500

/**
 * `times` times: a run in each sandbox, the service killed (-9) at a moment by chance, and started again. Answers every promise that
 * was broken, as sentences.
 */
export async function killAnytime(times: number): Promise<string[]> {
  using place = await openPlace()
  const broken: string[] = []
  for (let time = 0; time < times; time += 1) {
    const afterMs = Math.round(Math.random() * longestMs)
    const found = await killOnce(place, { time, afterMs })
    broken.push(...found.map((sentence) => `kill ${time + 1}, after ${afterMs} ms: ${sentence}`))
  }
  await using service = await place.start({ env: { OVERNIGHT_LOG: 'warn' } })
  const { pulls } = await service.get<{ pulls: { branch: string }[] }>('/v1/pulls')
  const branches = git(place.repository, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/overnight')
    .split('\n')
    .filter(Boolean)
  const expected = times * tested().length
  if (pulls.length !== expected || branches.length !== expected)
    broken.push(`${expected} runs made ${pulls.length} pull requests and ${branches.length} branches`)
  const folders = await readdir(join(place.data, 'work'))
  if (folders.length > 0) broken.push(`left in the work folder: ${folders.join(', ')}`)
  return broken
}

const tested = () => sandboxes.filter(({ skip }) => !skip)

async function killOnce(place: Place, { time, afterMs }: { time: number; afterMs: number }): Promise<string[]> {
  const seconds = `7400.${process.pid}${time}`
  const killed = await place.start({ env: { OVERNIGHT_LOG: 'warn' } })
  const runs = await Promise.all(
    tested().map(({ sandbox }) => start(killed, place, { sandbox, name: `counts-${time}-${sandbox}`, seconds })),
  )
  await delay(afterMs)
  const before = await processesCalled(`sleep ${seconds}`)
  killed.kill('SIGKILL')
  await killed.exit
  await using service = await place.start({ env: { OVERNIGHT_LOG: 'warn' } })
  const stillThere = (await processesCalled(`sleep ${seconds}`)).filter((pid) => before.includes(pid))
  const ended = await Promise.all(runs.map((run) => untilSettled(service, run)))
  const sentences = stillThere.map((pid) => `process ${pid} of a dead service was alive when the next one answered`)
  for (const { run, state, reason, message, sandbox } of ended) {
    if (state !== 'published') sentences.push(`the run in ${sandbox} ended ${state}: ${reason} ${message}`)
    await until(8, () => leftOf(place, run)).catch((error: Error) =>
      sentences.push(`of the run in ${sandbox} ${error.message}`),
    )
  }
  const after = await processesCalled(`sleep ${seconds}`)
  return after.length === 0 ? sentences : [...sentences, `${after.length} processes outlived their runs`]
}

type Started = { sandbox: string; name: string; seconds: string }

async function start(service: ServiceProcess, place: Place, { sandbox, name, seconds }: Started): Promise<string> {
  const command = JSON.stringify(['sh', '-c', agent(seconds)])
  const text = `---\nrepository: ${JSON.stringify(place.repository)}\nsandbox: ${sandbox}\nengine: { name: command, command: ${command} }\n---\nCount.\n`
  return (await service.post<{ run: string }>('/v1/runs', { file: join(place.folder, `${name}.md`), text })).run
}

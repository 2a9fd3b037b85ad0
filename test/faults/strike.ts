import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../support/crew.ts'
import { sickRequests } from './sick-requests.ts'
import type { Scene } from './occasion-storm.ts'
import type { OccasionFault } from './weather.ts'

type Of<Kind extends OccasionFault['kind']> = Extract<OccasionFault, { kind: Kind }>

/** After a scheduler died or stands still the others are so late at most. */
const takenOverMs = 5000
/** Of all schedulers somebody is told within this. */
const alertMs = 90_000
const repositoryOf = (name: string) => ({ id: 1, full_name: `acme/${name}` })
const acme = { login: 'acme', type: 'User', id: 2 }
const star = { action: 'created', repository: repositoryOf('heard'), sender: acme }

/** Does it. Answers what was broken that the journals do not tell, as sentences. */
export function strike(scene: Scene, fault: OccasionFault): Promise<string[]> {
  if (fault.kind === 'same_at_once') return sameAtOnce(scene, fault)
  if (fault.kind === 'forge_sick') return forgeSick(scene, fault)
  if (fault.kind === 'postgres_between') return postgresBetween(scene, fault)
  return fault.which === 'one' ? oneStopped(scene, fault) : allStopped(scene, fault)
}

async function sameAtOnce({ servers, ledger, sender, name }: Scene, fault: Of<'same_at_once'>): Promise<string[]> {
  const key = randomUUID()
  const due = await ledger.minuteIn(fault.dueInMs)
  const acts = Array.from({ length: fault.copies }, (_, index) => [
    sender.event(servers[index % 2]!, key, star),
    sender.call(servers[index % 2]!, 'called', name),
  ])
  const answers = await Promise.all(acts.flat())
  await until(20, async () => [await ledger.lateMs('rung', due)].filter((late) => late === undefined))
  const refused = answers.filter((isTaken) => !isTaken).length
  return refused === 0 ? [] : [`${refused} of ${answers.length} were not answered 2xx`]
}

/** GitHub could not deliver an event; the next server that starts asks for it, and everything on the way to its pull request is ill. */
async function forgeSick({ fleet, servers, ledger, secret }: Scene, fault: Of<'forge_sick'>): Promise<string[]> {
  const { github } = fleet
  const before = github.lines().length
  await github.act('hookAt', { url: 'http://127.0.0.1:1', secret })
  const number = before + 1
  const issue = {
    action: 'opened',
    issue: { number, title: 'Something' },
    repository: repositoryOf('told'),
    sender: acme,
  }
  const { guid, status } = await github.act('deliver', 'issues', issue)
  for (const request of sickRequests(fault.how)) await github.act('fault', { ...request, times: fault.times })
  const isTaken = () => github.lines().some((line) => line.kind === 'hook' && line.guid === guid && line.status === 202)
  // A look that failed is made again by the next one; ten minutes later, or by a server that starts.
  for (let looks = 0; looks < 6 && !isTaken(); looks++) {
    await ledger.pass(61)
    await servers[1][Symbol.asyncDispose]()
    servers[1] = await fleet.another()
    await github.act('hookAt', { url: servers[1].url, secret })
    await until(20, async () => (isTaken() ? [] : ['not sent again'])).catch(() => {})
  }
  const branch = `overnight/told/issue-${number}`
  const opened = () =>
    github.lines().filter((line) => line.kind === 'pull' && line.act === 'opened' && line.branch === branch).length
  await until(240, async () => (opened() > 0 ? [] : ['no pull request'])).catch(() => {})
  await github.act('healthy')
  const promises: [boolean, string][] = [
    [status === 0, `the event was delivered at first, with ${status}`],
    [isTaken(), `event ${guid} was never asked for again`],
    [opened() === 1, `${opened()} pull requests of ${branch} were opened`],
  ]
  return promises.filter(([kept]) => !kept).map(([, sentence]) => sentence)
}

async function oneStopped({ servers, ledger, name }: Scene, fault: Of<'scheduler_stopped'>): Promise<string[]> {
  const stopped = servers[Number(name.at(-1)) % 2]!
  const due = await ledger.minuteIn(2000)
  await delay(2000 - fault.beforeMs)
  stopped.kill('SIGSTOP')
  try {
    await until(60, async () => [await ledger.lateMs('rung', due)].filter((late) => late === undefined))
  } finally {
    stopped.kill('SIGCONT')
  }
  const late = (await ledger.lateMs('rung', due))!
  return late <= takenOverMs ? [] : [`the slot was on record ${Math.round(late)} ms late, with a scheduler left`]
}

async function allStopped({ servers, ledger, receiver }: Scene, fault: Of<'scheduler_stopped'>): Promise<string[]> {
  const heard = (type: string, after: number) =>
    receiver
      .posts('/alerts')
      .slice(after)
      .some(({ body }) => body.includes(`"${type}"`) && body.includes('slot_unrecorded'))
  const before = receiver.posts('/alerts').length
  const beforeMs = Math.max(500, fault.beforeMs)
  await ledger.minuteIn(beforeMs + 500)
  await delay(500)
  for (const server of servers) server.kill('SIGSTOP')
  const dueAt = performance.now() + beforeMs
  try {
    await until(200, async () => (heard('alert.raised', before) ? [] : ['no alert']))
  } catch {
    return ['no alert within 200 s of a slot that nobody recorded']
  } finally {
    for (const server of servers) server.kill('SIGCONT')
  }
  const tookMs = performance.now() - dueAt
  console.log(`     the alert came ${(tookMs / 1000).toFixed(1)} s after the slot was due`)
  const isCleared = await until(60, async () => (heard('alert.cleared', before) ? [] : ['open'])).then(
    () => true,
    () => false,
  )
  return [
    ...(tookMs <= alertMs ? [] : [`the alert came ${Math.round(tookMs)} ms after the slot was due`]),
    ...(isCleared ? [] : ['the alert was not cleared within 60 s of the schedulers going on']),
  ]
}

/** Events come one after the other to both, and the crash follows at once on an answer: nothing came of that event yet. */
async function postgresBetween({ fleet, servers, sender }: Scene, fault: Of<'postgres_between'>): Promise<string[]> {
  const keys = Array.from({ length: fault.after + 10 }, () => randomUUID())
  const lost: string[] = []
  let acknowledged = 0
  let crash: Promise<void> | undefined
  const send = async (key: string, index: number) => {
    if (!(await sender.event(servers[index % 2]!, key, star))) return void lost.push(key)
    if (++acknowledged === fault.after) crash = fleet.postgres.stop('immediate')
  }
  const lanes = [0, 1, 2, 3]
  await Promise.all(
    lanes.map(async (lane) => {
      for (let index = lane; index < keys.length; index += lanes.length) await send(keys[index]!, index)
    }),
  )
  await crash
  await delay(fault.downMs)
  await fleet.postgres.start()
  // As a sender does that had no answer.
  for (const end = performance.now() + 60_000; lost.length > 0 && performance.now() < end;) {
    const key = lost.shift()!
    if (!(await sender.event(servers[0], key, star))) {
      lost.push(key)
      await delay(250)
    }
  }
  return lost.length === 0 ? [] : [`${lost.length} events were not taken within 60 s`]
}

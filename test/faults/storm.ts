import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crashPoints, openCrashes } from './crash-at.ts'
import { checkCrowd, openCrowd } from './crowd.ts'
import { openStorm } from './fleet-storm.ts'
import { killAnytime } from './kill-anytime.ts'
import { openOccasionStorm } from './occasion-storm.ts'
import { forecast, isOfOccasions, isOfRuns, published, type Fault, type FaultKind } from './weather.ts'

const usage = `npm run storm                     servers and workers on PostgreSQL, Redis and GitHub's stand-in: ${JSON.stringify(published)}
npm run storm -- --seed 7         the same faults as the run that printed this seed; goes on where that one ended
npm run storm -- --only zombie --times 5
npm run storm -- --steps [--times 10]     one process on the embedded store, killed (-9) at each named step of a run
npm run storm -- --anytime [--times 10]   the same at a moment by chance, while agents work in every sandbox
npm run storm -- --owed 200               so many runs are owed at once to three workers, and three may be at work on their repository
`
const { values } = parseArgs({
  options: {
    steps: { type: 'boolean' },
    anytime: { type: 'boolean' },
    seed: { type: 'string' },
    only: { type: 'string' },
    times: { type: 'string' },
    owed: { type: 'string' },
    help: { type: 'boolean' },
  },
})
const kinds = Object.keys(published) as FaultKind[]
if (values.help || (values.only !== undefined && !(kinds as string[]).includes(values.only))) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}
const broken: string[] = []
let trials = 0

function tell(what: string, found: readonly string[], startedAt: number): void {
  trials += 1
  broken.push(...found)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${String(trials).padStart(4)} ${what.padEnd(44)} ${found.length === 0 ? 'kept' : 'BROKEN'} ${seconds} s`)
  for (const sentence of found) console.log(`     ! ${sentence}`)
}

async function alone(): Promise<void> {
  const times = Number(values.times ?? 10)
  for (let time = 0; values.steps && time < times; time++) {
    await using crashes = await openCrashes()
    for (const point of crashPoints) {
      const startedAt = performance.now()
      tell(point, await crashes.crashAt(point), startedAt)
    }
  }
  for (let time = 0; values.anytime && time < times; time++) {
    const startedAt = performance.now()
    tell('anytime', await killAnytime(1), startedAt)
  }
}

async function crowded(runs: number): Promise<void> {
  await using crowd = await openCrowd()
  const startedAt = performance.now()
  const told = await crowd.settle(runs)
  const figures = `most ${told.most}, mean ${told.mean.toFixed(2)}, ${(runs / told.seconds).toFixed(1)} runs/s`
  tell(`${runs} owed: ${figures}`, checkCrowd(told), startedAt)
}

/** Each trial that was kept is a line of a file that the seed names, and is not repeated. */
async function together(): Promise<void> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))
  const done = join(tmpdir(), `overnight-storm-${seed}.ndjson`)
  const times = values.times === undefined ? undefined : Number(values.times)
  const counts = Object.fromEntries(
    kinds.map((kind) => [kind, values.only === undefined || values.only === kind ? (times ?? published[kind]) : 0]),
  ) as Record<FaultKind, number>
  const kept = new Set(existsSync(done) ? readFileSync(done, 'utf8').split('\n') : [])
  const faults = forecast(seed, counts).map((fault, index) => ({ fault, line: JSON.stringify({ index, ...fault }) }))
  const left = faults.filter(({ line }) => !kept.has(line))
  console.log(`seed ${seed}: ${faults.length} faults, ${faults.length - left.length} of them done before (${done})`)
  const weather = async <F extends Fault>(mine: (fault: Fault) => fault is F, open: () => Promise<StormOf<F>>) => {
    const faults = left.flatMap(({ fault, line }) => (mine(fault) ? [{ fault, line }] : []))
    if (faults.length === 0) return
    await using storm = await open()
    for (const { fault, line } of faults) {
      const startedAt = performance.now()
      const found = await storm.trial(fault)
      if (found.length === 0) appendFileSync(done, `${line}\n`)
      tell(nameOf(fault), found, startedAt)
    }
  }
  await weather(isOfRuns, openStorm)
  await weather(isOfOccasions, openOccasionStorm)
}

type StormOf<F> = AsyncDisposable & { trial(fault: F): Promise<string[]> }

function nameOf({ kind, ...facts }: Fault): string {
  return [kind, ...Object.values(facts)].join(' ')
}

if (values.owed !== undefined) await crowded(Number(values.owed))
else await (values.steps || values.anytime ? alone() : together())
console.log(`${trials} trials, ${broken.length} broken promises`)
process.exitCode = broken.length === 0 ? 0 : 1

import { parseArgs } from 'node:util'
import { crashAt, crashPoints } from './crash-at.ts'
import { killAnytime } from './kill-anytime.ts'

// npm run storm -- --steps [--times 10]: the service is killed (-9) at each named step of a run and started again.
// npm run storm -- --anytime [--times 10]: the same at a moment by chance, while agents work in every sandbox.
const { values } = parseArgs({
  options: { steps: { type: 'boolean' }, anytime: { type: 'boolean' }, times: { type: 'string', default: '10' } },
})
if (!values.steps && !values.anytime) {
  console.error('usage: npm run storm -- (--steps | --anytime) [--times 10]')
  process.exit(2)
}
const times = Number(values.times)
const broken: string[] = []
let trials = 0

async function trial(what: string, act: () => Promise<string[]>): Promise<void> {
  const startedAt = performance.now()
  const found = await act()
  broken.push(...found)
  trials += times
  const seconds = ((performance.now() - startedAt) / 1000 / times).toFixed(1)
  console.log(`${what.padEnd(20)} ${times} kills, ${found.length} broken promises, ${seconds} s each`)
}

for (const point of values.steps ? crashPoints : []) {
  await trial(point, async () => {
    const found: string[] = []
    for (let time = 0; time < times; time++) found.push(...(await crashAt(point)))
    return found
  })
}
if (values.anytime) await trial('anytime', () => killAnytime(times))
for (const sentence of broken) console.log(`! ${sentence}`)
console.log(`${trials} kills, ${broken.length} broken promises`)
process.exitCode = broken.length === 0 ? 0 : 1

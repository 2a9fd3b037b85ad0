import { parseArgs } from 'node:util'
import { crashAt, crashPoints } from './crash-at.ts'

// npm run storm -- --steps [--times 10]: the service is killed (-9) at each named step of a run and started again.
const { values } = parseArgs({ options: { steps: { type: 'boolean' }, times: { type: 'string', default: '10' } } })
if (!values.steps) {
  console.error('usage: npm run storm -- --steps [--times 10]')
  process.exit(2)
}
const times = Number(values.times)
const broken: string[] = []
let trials = 0
for (const point of crashPoints) {
  const startedAt = performance.now()
  const before = broken.length
  for (let time = 0; time < times; time++) {
    broken.push(...(await crashAt(point)))
    trials++
  }
  const seconds = ((performance.now() - startedAt) / 1000 / times).toFixed(1)
  console.log(`${point.padEnd(20)} ${times} kills, ${broken.length - before} broken promises, ${seconds} s each`)
}
for (const sentence of broken) console.log(`! ${sentence}`)
console.log(`${trials} kills, ${broken.length} broken promises`)
process.exitCode = broken.length === 0 ? 0 : 1

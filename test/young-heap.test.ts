import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** What becomes of the young heap while garbage is made that lives for some time; in a process of its own, as it is one for all of it. */
const program = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { setImmediate } from 'node:timers/promises'
  const mb = () => getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size / 1024 / 1024
  const [how, turns] = process.argv.slice(1)
  if (how === 'small') (await import('./src/young-heap.ts')).keepYoungHeapSmall()
  const kept = []
  let most = 0
  const held = turns === "in turns" ? 50_000 : 500_000
  for (let i = 0; i < 4_000_000; i++) {
    kept[i % held] = { i, list: [i] }
    if (i % 20_000 === 0) {
      if (turns === 'in turns' || mb() < 4) await setImmediate()
      most = Math.max(most, mb())
    }
  }
  console.log(most)`

test.each([
  ['small', 'in turns', { least: 16, most: 32 }],
  // Opening the embedded store takes a second at one go.
  ['small', 'at one go', { least: 16, most: 32 }],
  ['as it is', 'in turns', { least: 96, most: 256 }],
])('the young heap, %s, %s', async (how, turns, { least, most }) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, how, turns])
  expect(Number(stdout)).toBeGreaterThanOrEqual(least)
  expect(Number(stdout)).toBeLessThan(most)
})

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { routineJsonSchema } from '../src/routines/keys/front-matter.ts'
import { readRoutine } from '../src/routines/reading/read.ts'
import { checkSchedule } from '../src/triggers/schedule/check-schedule.ts'

const doc = readFileSync(new URL('../docs/routine-file.md', import.meta.url), 'utf8')
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the table of keys is the schema', () => {
  const properties = (routineJsonSchema() as { properties: Record<string, { description?: string }> }).properties
  const rows = Object.entries(properties).map(([key, { description }]) => `| \`${key}\` | ${description} |`)
  expect(doc).toContain(['| key | |', '|---|---|', ...rows].join('\n'))
})

test.each([
  ['docs/routine-file.md', doc],
  ['README.md', readme],
])('the routine in %s is valid, and does nothing that is still to come', (_, text) => {
  const example = /```markdown\n(---\n[\s\S]*?)```/.exec(text)?.[1] ?? ''
  expect(readRoutine('/routines/example.md', example, { defaultEngine: 'claude', checkSchedule })).toMatchObject({
    routine: { unavailable: [] },
  })
})

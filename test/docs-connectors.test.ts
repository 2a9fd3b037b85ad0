import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { faultOf } from '../src/routines/connectors/lint-connectors.ts'
import { readDefinitionTexts } from '../src/routines/definitions/definitions.ts'
import { connectorKind } from '../src/routines/connectors/connectors.ts'
import { readRoutine } from '../src/routines/reading/read.ts'
import { checkSchedule } from '../src/triggers/schedule/check-schedule.ts'

const doc = readFileSync(new URL('../docs/connectors.md', import.meta.url), 'utf8')

test('the connector and the routine are valid, and fit each other', () => {
  const [, text = ''] = /```yaml\n(# connectors\/linear\.yaml\n[^]*?)```/.exec(doc) ?? []
  const [, routine = ''] = /```markdown\n(---\n[^]*?)```/.exec(doc) ?? []
  const files = readDefinitionTexts(connectorKind, [
    { entry: 'linear.yaml', text },
    { entry: 'sentry.yaml', text: 'url: https://mcp.sentry.dev/mcp' },
  ])
  expect(files.problems).toEqual([])
  const read = readRoutine('/routines/example.md', routine, { defaultEngine: 'claude', checkSchedule })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  expect(read.routine.unavailable).toEqual([])
  expect(read.routine.connectors.map((use) => faultOf(use, read.routine, files))).toEqual([undefined, undefined])
})

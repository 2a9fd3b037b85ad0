import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { lintWebhooks } from '../src/routines/webhooks/lint-sources.ts'
import { readSource } from '../src/routines/webhooks/read-source.ts'
import { senders } from '../src/routines/webhooks/senders.ts'
import type { Place, Sender } from '../src/routines/webhooks/source.ts'
import { readRoutine } from '../src/routines/reading/read.ts'
import { checkSchedule } from '../src/triggers/schedule/check-schedule.ts'

const doc = readFileSync(new URL('../docs/webhooks.md', import.meta.url), 'utf8')
const files = [...doc.matchAll(/```yaml\n(# webhooks\/([\w-]+\.yaml)\n[\s\S]*?)```/g)].map(
  ([, text = '', name = '']) => ({ name, text }),
)
const routines = [...doc.matchAll(/```markdown\n(---\n[\s\S]*?)```/g)].map(([, text = '']) => text)

test.each(files)('$name is valid', ({ name, text }) => {
  expect(readSource(name, text)).toMatchObject({ defined: { name: name.replace('.yaml', '') } })
})

test('the routines are valid, do nothing that is still to come, and name sources that are there', () => {
  expect([files.length, routines.length]).toEqual([7, 5])
  const read = routines.map((text) =>
    readRoutine('/routines/example.md', text, { defaultEngine: 'claude', checkSchedule }),
  )
  expect(read.flatMap((one) => ('problems' in one ? one.problems : one.routine.unavailable))).toEqual([])
  const names = files.map(({ name }) => name.replace('.yaml', ''))
  expect(
    lintWebhooks(
      read.flatMap((one) => ('routine' in one ? [one.routine] : [])),
      names,
    ),
  ).toEqual([])
})

test('the table of senders is what is known of them', () => {
  const rows = Object.entries<Sender>(senders).map(
    ([name, { ways, id, event }]) => `| \`${name}\` | ${provenBy(ways)} | ${placed(id)} | ${placed(event)} |`,
  )
  expect(doc).toContain(rows.join('\n'))
})

function provenBy(ways: Sender['ways']): string {
  const said = ways.map((way) => {
    if (way.kind === 'token') return { header: way.header, how: way.prefix.trim() }
    return { header: way.header, how: [way.algorithm, ...(way.timestamp ? ['timestamp'] : [])].join(', ') }
  })
  return [...Map.groupBy(said, ({ how }) => how)]
    .map(([how, same]) => `${same.map(({ header }) => `\`${header}\``).join(' or ')}${how === '' ? '' : ` (${how})`}`)
    .join(' or ')
}

function placed(places: readonly Place[]): string {
  const headers = places.flatMap((place) => ('header' in place ? [`\`${place.header}\``] : []))
  const paths = places.flatMap((place) => ('body' in place ? [`\`${place.body.join('.')}\``] : []))
  const inBody = paths.length === 0 ? [] : [`${paths.join(' or ')} of the body`]
  const isBodyFirst = places[0] !== undefined && 'body' in places[0]
  return (isBodyFirst ? [...inBody, ...headers] : [...headers, ...inBody]).join(', ') || 'its bytes'
}

import { listOf } from './availability.ts'
import { quoted } from '../format.ts'
import type { FrontMatter } from '../keys/front-matter.ts'
import type { Finding } from './issues.ts'
import { advice } from '../nearest.ts'
import { checkTemplate } from '../prompt/prompt.ts'
import type { Path } from './yaml-tree.ts'

/** Templates over the event, and the inputs that they are for. */
export function checkWebhooks({ on, inputs }: FrontMatter): Finding[] {
  if (on === 'manual') return []
  const names = Object.keys(inputs)
  return listOf(on.webhook).flatMap((written, index) => {
    const path: Path = Array.isArray(on.webhook) ? ['on', 'webhook', index] : ['on', 'webhook']
    const given = Object.entries(written.inputs ?? {})
    const unknown = given.filter(([name]) => !names.includes(name))
    const missing = Object.entries(inputs).filter(
      ([name, input]) =>
        input.default === undefined && input.required !== false && !Object.hasOwn(written.inputs ?? {}, name),
    )
    return [
      ...unknown.map(([name]): Finding => ({
        path: [...path, 'inputs', name],
        at: 'key',
        message: `the routine has no input ${quoted(name)}`,
        hint: names.length === 0 ? 'declare it under inputs:' : advice(name, names),
      })),
      ...missing.map(([name]): Finding => ({
        path: ['inputs', name],
        at: 'key',
        message: `input "${name}" has no default, and the webhook ${written.source} does not give it`,
        hint: `write a default, required: false, or inputs: { ${name}: "{{ event.… }}" } in the webhook`,
      })),
      ...given.flatMap(([name, template]) => checkMarks(template, [...path, 'inputs', name])),
      ...checkMarks(written.subject ?? '', [...path, 'subject']),
    ]
  })
}

/** When it is matched nothing but the event is known. */
function checkMarks(template: string, path: Path): Finding[] {
  const faults = checkTemplate(template, { inputs: [], roots: ['event'] })
  return faults.map(({ index: _index, ...words }) => ({ path, at: 'value', ...words }))
}

import type { FactChange, Plan, PlannedRoutine } from './compare.ts'

const marks = { added: '+', changed: '~', removed: '-', broken: '!' } as const

/** For a terminal. */
export function planText({ routines, counts }: Plan): string {
  const parts = routines.map((routine) => `${titleOf(routine)}\n${indent(detailsOf(routine))}\n`)
  return `${parts.join('')}${summaryOf(counts)}\n`
}

/** For a comment on a forge. What people wrote stands in fences alone: there it mentions nobody and renders nothing. */
export function planMarkdown({ routines, counts }: Plan): string {
  if (routines.length === 0) return `**Routines: nothing would change.** ${counts.unchanged} stay as they are.\n`
  const parts = routines.map((routine) => {
    const details = `${titleOf(routine)}\n${detailsOf(routine)}`
    const longest = Math.max(2, ...[...details.matchAll(/`+/g)].map(([run]) => run.length))
    const fence = '`'.repeat(longest + 1)
    return `${fence}text\n${details}\n${fence}\n`
  })
  return `**Routines, if this were merged:** ${summaryOf(counts)}\n\n${parts.join('\n')}`
}

function titleOf({ name, change }: PlannedRoutine): string {
  return `${marks[change]} ${visible(name)} (${change === 'broken' ? 'broken: its last good version stays' : change})`
}

function detailsOf({ facts, next, words, problems, warnings }: PlannedRoutine): string {
  const lines = [
    ...facts.map(factText),
    ...(next.length > 0 ? [line('next', next.join(', '))] : []),
    ...problems,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(words === '' ? [] : ['', words]),
  ]
  return lines.map(visible).join('\n')
}

function factText({ what, before, after }: FactChange): string {
  return line(what, before !== null && after !== null ? `${before} → ${after}` : (after ?? before ?? ''))
}

const line = (what: string, says: string): string => `${what.padEnd(9)}${says}`

function summaryOf(counts: Plan['counts']): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((one) => (one === '' ? '' : `    ${one}`))
    .join('\n')
}

/** Control and hidden characters become a sign that one sees: a terminal obeys them, a reader overlooks them. */
function visible(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]|\p{Default_Ignorable_Code_Point}/gu, '\u{FFFD}')
}

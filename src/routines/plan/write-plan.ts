import type { Planned } from './compare-definitions.ts'
import type { Plan, PlannedRoutine } from './compare.ts'
import type { FactChange } from './fact-changes.ts'

const marks = { added: '+', changed: '~', removed: '-', broken: '!' } as const

/** For a terminal. */
export function planText(plan: Plan): string {
  const parts = partsOf(plan).map(({ title, details }) => `${title}\n${indent(details)}\n`)
  return `${parts.join('')}${summaryOf(plan)}\n`
}

/** Of one routine no more than this part of the whole. */
const share = 1 / 4

/**
 * For a comment on a forge. What people wrote stands in fences alone: there it mentions nobody and renders nothing. About
 * `mostCharacters` at most: what is longer is cut, and says so.
 */
export function planMarkdown(plan: Plan, mostCharacters = Infinity): string {
  if (!isNews(plan)) return `**Routines: nothing would change.** ${plan.counts.unchanged} stay as they are.\n`
  const parts = partsOf(plan).map((part) => {
    const details = cut(`${part.title}\n${part.details}`, mostCharacters * share)
    const longest = Math.max(2, ...[...details.matchAll(/`+/g)].map(([run]) => run.length))
    const fence = '`'.repeat(longest + 1)
    return `${fence}text\n${details}\n${fence}\n`
  })
  const ends = parts.map((_, index) => parts.slice(0, index + 1).reduce((sum, part) => sum + part.length, 0))
  const shown = parts.filter((_, index) => ends[index]! <= mostCharacters)
  const more = parts.length > shown.length ? [`And ${parts.length - shown.length} more.\n`] : []
  return `**Routines, if this were merged:** ${summaryOf(plan)}\n\n${[...shown, ...more].join('\n')}`
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…\n(cut here)`
}

/** Would anything change, or be broken? */
export const isNews = ({ routines, sources, connectors }: Plan): boolean =>
  routines.length + sources.length + connectors.length > 0

/** What sends comes after what it would start. */
function partsOf({ routines, sources, connectors }: Plan): { title: string; details: string }[] {
  return [
    ...routines.map((routine) => ({ title: titleOf(routine, routine.name), details: detailsOf(routine) })),
    ...sources.map((one) => ({ title: titleOf(one, `webhooks/${one.name}`), details: detailsOf(one) })),
    ...connectors.map((one) => ({ title: titleOf(one, `connectors/${one.name}`), details: detailsOf(one) })),
  ]
}

function titleOf({ change, stays }: Planned, name: string): string {
  const broken = stays ? 'broken: its last good version stays' : 'broken: it would not be in force'
  return `${marks[change]} ${visible(name)} (${change === 'broken' ? broken : change})`
}

function detailsOf(planned: Planned & Partial<PlannedRoutine>): string {
  const { facts, problems, next = [], warnings = [], words = '' } = planned
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

function summaryOf({ counts, sources, connectors }: Plan): string {
  const routines = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  return [routines.join(', '), ...counted('webhook sources', sources), ...counted('connectors', connectors)].join('; ')
}

function counted(what: string, planned: readonly Planned[]): string[] {
  const changes = Map.groupBy(planned, ({ change }) => change)
    .entries()
    .map(([change, some]) => `${some.length} ${change}`)
    .toArray()
  return changes.length === 0 ? [] : [`${what}: ${changes.join(', ')}`]
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

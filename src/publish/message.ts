import type { Change } from '../checkout/patch.ts'
import { neutralise, neutraliseLine } from './neutralise.ts'

/** What is told of a run. `title` and `description` may hold an agent's words. */
export type RunFacts = {
  id: string
  routine: string
  /** With its suffix: `main-2`. */
  subject: string
  trigger: string
  title: string
  description: string
  changes: readonly Change[]
}

const titleCharacters = 100
/** GitHub's limit of a body is 65,536 characters. */
const descriptionCharacters = 20_000
const filesListed = 30

export function pullTitle({ title, routine }: RunFacts): string {
  return neutraliseLine(title, titleCharacters) || routine
}

/** The description, the files, where it comes from, and the marker by which the pull request is found again. */
export function pullBody(facts: RunFacts): string {
  const { routine, subject, id, trigger, changes } = facts
  const said = neutralise(facts.description)
  const text = said.text.trim().slice(0, descriptionCharacters)
  const files = changes.slice(0, filesListed).map((change) => `- ${codeSpan(change.path)} ${countsOf(change)}`)
  const more = changes.length > filesListed ? [`- and ${changes.length - filesListed} more`] : []
  const hidden = said.hidden > 0 ? [`*${said.hidden} hidden characters were removed from the text above.*`] : []
  const footer = `*Made by the routine ${codeSpan(routine)} (${trigger}), run ${codeSpan(id)}. A program wrote this change: read it before you merge it.*`
  const marker = `<!-- overnight: ${routine}/${subject} ${id} -->`
  return [text, ...hidden, [...files, ...more].join('\n'), '---', footer, marker]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Subject line, and the trailer by which a branch is known as ours. */
export function commitMessage(facts: RunFacts): string {
  const body = neutralise(facts.description).text.trim().slice(0, 2000)
  return [pullTitle(facts), ...(body === '' ? [] : [body]), `Overnight-Run: ${facts.id}`].join('\n\n') + '\n'
}

function countsOf({ status, binary, added, removed }: Change): string {
  if (status === 'deleted') return '(deleted)'
  return binary ? '(binary)' : `(+${added} −${removed})`
}

/** Inside a code span nothing is a mention, a reference or HTML; the fence is longer than any in the text. */
function codeSpan(text: string): string {
  const line = text.replaceAll(/\p{C}|\p{Default_Ignorable_Code_Point}/gu, '\u{FFFD}').slice(0, 200)
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  const space = longest > 0 ? ' ' : ''
  return `${fence}${space}${line}${space}${fence}`
}

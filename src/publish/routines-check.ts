import type { Check } from '../forges/github/checks.ts'
import type { LibrarySnapshot } from '../routines/library/in-force.ts'
import type { Problem } from '../routines/routine.ts'
import { fenced, neutralise } from './neutralise.ts'

/** The commit that was looked at, and what is in force after it. */
export type Looked = { commit: string; files: Pick<LibrarySnapshot, 'routines' | 'broken' | 'problems'> }
/** Where the routines are, as their problems name it, and the folder in the repository. */
export type RoutinesPlace = { name: string; folder: string }

const checkName = 'overnight/routines'
/** https://docs.github.com/en/rest/checks/runs: no more annotations than this at once. */
const mostAnnotations = 50
/** GitHub takes a summary of 65,535 characters. */
const listed = { problems: 100, characters: 300, names: 100 }

/** What a commit of the routines' repository is told about itself. What people wrote mentions nobody and renders nothing. */
export function checkOf({ commit, files }: Looked, place: RoutinesPlace): Check {
  const { routines, broken, problems } = files
  const inForce = counted(routines.length, 'routine')
  const common = { name: checkName, commit }
  if (problems.length === 0) {
    const summary = `Everything in \`${place.folder || '.'}\` can be read and is in force.`
    return { ...common, conclusion: 'success', title: `${inForce} in force`, summary, annotations: [] }
  }
  const located = problems.map((problem) => ({ ...problem, path: pathIn(place, problem) }))
  const noted = located.filter(({ path }) => path !== undefined).slice(0, mostAnnotations)
  const rest = located.filter((problem) => !noted.includes(problem))
  const brokenFiles = new Set(located.flatMap(({ path }) => path ?? [])).size
  const stands = new Set(routines.map(({ name }) => name))
  const lost = [...broken.keys()].filter((name) => !stands.has(name))
  return {
    ...common,
    conclusion: 'failure',
    title:
      brokenFiles === 0 ? 'The routines cannot be read' : `${counted(brokenFiles, 'file')} broken; ${inForce} in force`,
    summary: [
      'What was in force of a broken file stays in force.',
      ...(lost.length === 0 ? [] : [`Not in force: ${shortened(lost, listed.names)}.`]),
      ...(rest.length === 0 ? [] : [fenced(shortened(rest.map(lineOf), listed.problems, '\n'))]),
    ].join('\n\n'),
    annotations: noted.map(({ path = '', line, ...problem }) => ({ path, line, message: sentenceOf(problem) })),
  }
}

/** undefined: it is about the place as a whole. */
function pathIn({ name, folder }: RoutinesPlace, { file }: Problem): string | undefined {
  if (!file.startsWith(`${name}/`)) return undefined
  return [folder, file.slice(name.length + 1)].filter((part) => part !== '').join('/')
}

function sentenceOf({ message, hint }: Pick<Problem, 'message' | 'hint'>): string {
  return neutralise(`${message}${hint === undefined ? '' : ` – ${hint}`}`).text
}

function lineOf({ path, file, line, message, hint }: Problem & { path: string | undefined }): string {
  const text = `${path ?? file}:${line}: ${message}${hint === undefined ? '' : ` – ${hint}`}`
  return text.replaceAll(/\s+/g, ' ').slice(0, listed.characters)
}

function shortened(texts: readonly string[], most: number, between = ', '): string {
  const more = texts.length > most ? [`and ${texts.length - most} more`] : []
  return [...texts.slice(0, most), ...more].join(between)
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

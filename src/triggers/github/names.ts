import { isSame } from './match.ts'

export type NamesTools = {
  /** False: nobody can be asked, and a repository is called what is written. */
  isSignedIn: boolean
  /** The name that is written there; undefined when it lies elsewhere. */
  nameAt(written: string): string | undefined
  /** How GitHub calls it now. */
  nameOf(name: string): Promise<string | undefined>
  now?: () => number
  /** Nobody wants to know any more. */
  signal?: AbortSignal | undefined
}
export type Names = {
  /** Does a routine that writes this mean that repository? undefined: it may have been renamed, and GitHub is being asked. */
  means(written: string, repository: string): boolean | undefined
}

/** An answer is good for so long; then it still is until there is another. */
const goodForMs = 60 * 60_000
/** So many questions at a time. */
const atOnce = 4
/** So many answers; the oldest go first. */
const most = 100_000

/** What repositories are called now. No event waits here: what is asked about others takes as long as a forge takes. */
export function createNames({ isSignedIn, nameAt, nameOf, now = Date.now, signal }: NamesTools): Names {
  const answers = new Map<string, { present: string; until: number }>()
  const questions = { waiting: [] as string[], asked: new Set<string>(), lanes: 0 }
  const answerOf = (name: string) => answers.get(name.toLowerCase())
  const isGood = (name: string): boolean => (answerOf(name)?.until ?? -Infinity) > now()

  function learn(name: string, present: string): void {
    const key = name.toLowerCase()
    answers.delete(key)
    answers.set(key, { present, until: now() + goodForMs })
    if (answers.size > most) answers.delete(answers.keys().next().value!)
  }

  function ask(name: string): void {
    if (questions.asked.has(name.toLowerCase())) return
    questions.asked.add(name.toLowerCase())
    questions.waiting.push(name)
    if (questions.lanes < atOnce) void askOneByOne()
  }

  const next = () => (signal?.aborted ? undefined : questions.waiting.shift())

  async function askOneByOne(): Promise<void> {
    questions.lanes += 1
    for (let name = next(); name !== undefined; name = next()) {
      const before = answerOf(name)?.present ?? name
      learn(name, (await nameOf(name).catch(() => undefined)) ?? before)
      questions.asked.delete(name.toLowerCase())
    }
    questions.lanes -= 1
  }

  return {
    means(written, repository) {
      const name = nameAt(written)
      if (name === undefined) return false
      // What an event calls it, it is called.
      if (isSignedIn && !isGood(repository)) learn(repository, repository)
      if (isSame(name, repository) || !isSignedIn) return isSame(name, repository)
      if (!isGood(name)) ask(name)
      const answer = answerOf(name)
      return answer && isSame(answer.present, repository)
    },
  }
}

/** So many answers; the oldest go first. */
const most = 10_000

/** Answers that are good for a while. Who asks while the answer is on its way gets the same one; a failure is not remembered. */
export function createRemembered(now: () => number = Date.now) {
  const answers = new Map<string, { until: number; answer: Promise<unknown> }>()
  return <T>(question: string, forMs: number, ask: () => Promise<T>): Promise<T> => {
    const before = answers.get(question)
    // Only questions of one kind have the same words.
    if (before && before.until > now()) return before.answer as Promise<T>
    const answer = ask()
    answers.delete(question)
    answers.set(question, { until: now() + forMs, answer })
    answer.catch(() => answers.delete(question))
    if (answers.size > most) answers.delete(answers.keys().next().value!)
    return answer
  }
}

const form = /^pr-([1-9]\d{0,9})$/

/** What a run about a pull request is about. */
export const pullSubject = (pull: number): string => `pr-${pull}`

/** The number of the pull request that it names; undefined = it is about something else. No topic has this form. */
export function pullIn(subject: string | undefined): number | undefined {
  const number = form.exec(subject ?? '')?.[1]
  return number === undefined ? undefined : Number(number)
}

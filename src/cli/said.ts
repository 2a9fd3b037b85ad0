import { OvernightError } from '../errors.ts'

export type Problem = { title?: string; detail?: string; hint?: string }

/** What the service said was wrong, to people at a terminal: they write options, and not the JSON that these become. */
export class Said extends OvernightError {
  constructor(status: number, { title = 'http', detail = `the service answered ${status}`, hint }: Problem) {
    const isOfRequest = hint?.includes('/openapi.json') === true
    const advice = isOfRequest ? 'the command with --help says what may be written' : hint
    super(isOfRequest ? withoutIndex(detail) : detail, { code: title, status, ...(advice ? { hint: advice } : {}) })
  }
}

/** `hosts.0: must …` is about one of `--hosts`. */
const withoutIndex = (detail: string) => detail.replace(/^([\w.]+?)\.\d+: /, '$1: ')

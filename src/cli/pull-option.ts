import { BadRequest } from '../errors.ts'

/** Of every command that starts a run: the pull request that an event would have named. */
export const pullOption = [
  '--pull <number>',
  'the pull request to start from (checkout: pull_request)',
  readPull,
] as const

function readPull(written: string): number {
  const number = /^#?([1-9]\d{0,9})$/.exec(written)?.[1]
  if (number !== undefined) return Number(number)
  throw new BadRequest(`--pull ${JSON.stringify(written)} is no number of a pull request`, 'write it such as --pull 7')
}

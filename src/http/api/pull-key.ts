import { z } from 'zod'
import { BadRequest } from '../../errors.ts'
import type { Routine } from '../../routines/routine.ts'
import { pullSubject } from '../../runs/pull-subject.ts'

/** Where a caller names the pull request that an event would have named. */
export const pullKey = z
  .int()
  .min(1)
  .max(2_147_483_647)
  .optional()
  .describe('The number of the pull request that a routine with `checkout: pull_request` starts from.')

/** What the run is about; nothing where no pull request is named. */
export function aboutPull({ name, checkout }: Routine, pull: number | undefined): { subject?: string } {
  if (pull === undefined) return {}
  if (checkout === 'pull_request') return { subject: pullSubject(pull) }
  const message = `routine ${JSON.stringify(name)} starts from its base, not from a pull request`
  throw new BadRequest(message, 'add `checkout: pull_request` to its file, or name no pull request')
}

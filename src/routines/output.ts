import { z } from 'zod'

const word = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\0-\x1f\x7f]+$/, 'must be one line')

const PullRequest = z.strictObject({
  draft: z.boolean().default(true).describe('Open it as a draft.'),
  labels: z.array(word).max(100).default([]).describe('Labels it gets.'),
  reviewers: z.array(word).max(15).default([]).describe('People asked to review it.'),
  title: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\0-\x1f\x7f]+$/, 'must be one line')
    .optional()
    .describe('Its title; default: what the agent says it did.'),
})

/** Where the result goes. `none` and `report` need no repository. */
export const Output = z.union([
  z.enum(['none', 'report']),
  z.strictObject({
    pull_request: PullRequest.prefault({}).describe('A branch and a pull request; this is the default.'),
    issue: z.boolean().optional().describe('An issue.'),
    comment: z.boolean().optional().describe('A comment on what caused the run.'),
    review: z.boolean().optional().describe('A review with findings on lines.'),
    check: z.boolean().optional().describe('A check run on the commit.'),
    report: z.boolean().optional().describe('A report kept with the run.'),
  }),
])

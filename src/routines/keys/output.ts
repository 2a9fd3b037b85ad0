import { z } from 'zod'
import { Globs } from './globs.ts'
import { bytesOf, size } from './size.ts'

/** What the ledger keeps of a change. */
const mostBytes = 64 * 1024 * 1024

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
  paths: Globs.optional().describe(
    'What may be changed, such as src/** or !src/generated/**; the rest waits for a person.',
  ),
  max_files: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('More changed files wait for a person; default 100.'),
  max_size: size
    .refine((written) => bytesOf(written) <= mostBytes, 'must be 64MB or less: more is not kept')
    .optional()
    .describe('More new content waits for a person; default 4MB.'),
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

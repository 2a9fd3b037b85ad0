import { describeRoute, resolver } from 'hono-openapi'
import { z } from 'zod'

/** RFC 9457, with the operator's hint beside it. */
const ProblemJson = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  hint: z.string().optional(),
})

type Status = 200 | 201 | 202

/** One sentence and the shape of the answer, for `/openapi.json`. */
export function describeJson(summary: string, status: Status | readonly Status[], schema: z.ZodType) {
  const answer = { description: summary, content: { 'application/json': { schema: resolver(schema) } } }
  return describeRoute({
    summary,
    responses: {
      ...Object.fromEntries([status].flat().map((status) => [status, answer])),
      default: {
        description: 'What is wrong, and what to do',
        content: { 'application/problem+json': { schema: resolver(ProblemJson) } },
      },
    },
  })
}

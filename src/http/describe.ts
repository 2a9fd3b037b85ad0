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

/** One sentence and the shape of the answer, for `/openapi.json`. */
export function describeJson(summary: string, status: 200 | 202, schema: z.ZodType) {
  return describeRoute({
    summary,
    responses: {
      [status]: { description: summary, content: { 'application/json': { schema: resolver(schema) } } },
      default: {
        description: 'What is wrong, and what to do',
        content: { 'application/problem+json': { schema: resolver(ProblemJson) } },
      },
    },
  })
}

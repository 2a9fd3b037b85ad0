import { z } from 'zod'

/** What we read of GitHub's answers. Anything else, such as half a body or a page of a proxy, is no answer. */
export const RepositoryAnswer = z.object({ full_name: z.string().includes('/'), archived: z.boolean() })

export const RefAnswer = z.object({ ref: z.string(), object: z.object({ sha: z.string().regex(/^[0-9a-f]{40,64}$/) }) })

export const Login = z.object({ login: z.string() })
export const PullAnswer = z.object({
  number: z.number().int(),
  html_url: z.url({ protocol: /^https?$/ }),
  title: z.string(),
  body: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
  draft: z.boolean().default(false),
  head: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ ref: z.string() }),
  labels: z.array(z.object({ name: z.string().default('') })).default([]),
  requested_reviewers: z.array(Login).nullish(),
})
export type PullAnswer = z.infer<typeof PullAnswer>

export const CheckRunsAnswer = z.object({
  check_runs: z.array(z.object({ id: z.number().int(), external_id: z.string().nullish() })),
})
export const StatusAnswer = z.object({ context: z.string(), state: z.string(), description: z.string().nullish() })
export const CommentAnswer = z.object({ id: z.number().int(), body: z.string().nullish(), user: Login.nullish() })
export type CommentAnswer = z.infer<typeof CommentAnswer>

const Permissions = z.record(z.string(), z.string()).default({})
export const InstallationAnswer = z.object({ id: z.number().int(), permissions: Permissions })
export const AppAnswer = z.object({ slug: z.string(), permissions: Permissions })
export const TokenAnswer = z.object({ token: z.string().min(1) })

/** An error of the API client, as far as we read it. */
const ApiError = z.object({
  status: z.number().int(),
  message: z.string(),
  response: z.object({ headers: z.record(z.string(), z.unknown()).default({}), data: z.unknown() }).optional(),
})
export type ApiError = z.infer<typeof ApiError>

/** undefined when it is no error of the client: then no answer was ever there. */
export function apiErrorOf(error: unknown): ApiError | undefined {
  return ApiError.safeParse(error).data
}

export function statusOf(error: unknown): number | undefined {
  return apiErrorOf(error)?.status
}

const Errors = z.object({ message: z.string().optional(), errors: z.array(z.unknown()).optional() })
const Detail = z.object({ message: z.string().optional(), field: z.string().optional(), code: z.string().optional() })

/** What GitHub says is wrong, in one line. */
export function saidBy({ response, message }: ApiError): string {
  const told = Errors.safeParse(response?.data)
  if (!told.success) return message.split('\n')[0]!.slice(0, 300)
  const details = (told.data.errors ?? []).map((error) => {
    if (typeof error === 'string') return error
    const detail = Detail.safeParse(error)
    return detail.success ? (detail.data.message ?? `${detail.data.field ?? ''} ${detail.data.code ?? ''}`.trim()) : ''
  })
  return [told.data.message ?? '', ...details]
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, 300)
}

/** The same of whatever was thrown; empty when GitHub said nothing. */
export function sentenceOf(error: unknown): string {
  const told = apiErrorOf(error)
  return told ? saidBy(told) : ''
}

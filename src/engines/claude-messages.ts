import { z } from 'zod'

/** What the CLI prints, as far as it is read here; more is allowed everywhere, because every version adds something. */
const Block = z.looseObject({ type: z.string() })
const TextBlock = z.looseObject({ type: z.literal('text'), text: z.string() })
const ThinkingBlock = z.looseObject({ type: z.literal('thinking'), thinking: z.string() })
const ToolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
})
const ToolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]).optional(),
  is_error: z.boolean().optional(),
})
const known = z.discriminatedUnion('type', [TextBlock, ThinkingBlock, ToolUseBlock, ToolResultBlock])
export type ToolUse = z.infer<typeof ToolUseBlock>
export type ToolResult = z.infer<typeof ToolResultBlock>

const parent = z.string().nullish()
const Any = z.looseObject({ type: z.string(), subtype: z.string().optional() })
const Init = z.looseObject({ type: z.literal('system'), subtype: z.literal('init'), session_id: z.string() })
const Retry = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('api_retry'),
  attempt: z.number(),
  max_retries: z.number(),
  error_status: z.number().nullish(),
  error: z.string().nullish(),
})
const Said = z.looseObject({
  type: z.enum(['assistant', 'user']),
  parent_tool_use_id: parent,
  message: z.looseObject({ content: z.union([z.string(), z.array(Block)]) }),
})
export const Result = z.looseObject({
  type: z.literal('result'),
  is_error: z.boolean(),
  terminal_reason: z.string().nullish(),
  api_error_status: z.number().nullish(),
  result: z.string().nullish(),
  errors: z.array(z.string()).nullish(),
  total_cost_usd: z.number().nonnegative().nullish(),
})
export type Result = z.infer<typeof Result>

export type Heard =
  | { kind: 'init'; session: string }
  | { kind: 'retry'; attempt: number; of: number; why: string }
  | { kind: 'blocks'; blocks: z.infer<typeof known>[]; from: 'assistant' | 'user'; inner: boolean }
  | { kind: 'result'; result: Result }
  /** Something of another kind: nothing to tell. */
  | { kind: 'other' }
  | { kind: 'broken' }

/** One line of the stream. What cannot be read is `broken`, what is new is `other`; neither is an error. */
export function hear(line: string): Heard {
  const told = parsed(line)
  const { type, subtype } = Any.safeParse(told).data ?? {}
  if (type === undefined) return { kind: 'broken' }
  if (type === 'assistant' || type === 'user') return said(told)
  if (type === 'result') return orBroken(Result.safeParse(told), (result) => ({ kind: 'result', result }))
  if (type !== 'system') return { kind: 'other' }
  if (subtype === 'init')
    return orBroken(Init.safeParse(told), ({ session_id: session }) => ({ kind: 'init', session }))
  if (subtype !== 'api_retry') return { kind: 'other' }
  return orBroken(Retry.safeParse(told), ({ attempt, max_retries: of, error_status: status, error }) => ({
    kind: 'retry',
    attempt,
    of,
    why: [status, error].filter((part) => part !== null && part !== undefined).join(' '),
  }))
}

function said(told: unknown): Heard {
  return orBroken(Said.safeParse(told), ({ type, message, parent_tool_use_id: parent }) => {
    // A plain text of `user` is a prompt: ours, or a reminder the CLI gives itself.
    const blocks = typeof message.content === 'string' ? [] : message.content
    return {
      kind: 'blocks',
      from: type,
      inner: typeof parent === 'string',
      blocks: blocks.flatMap((block) => known.safeParse(block).data ?? []),
    }
  })
}

function orBroken<T>(parsed: z.ZodSafeParseResult<T>, told: (data: T) => Heard): Heard {
  return parsed.success ? told(parsed.data) : { kind: 'broken' }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

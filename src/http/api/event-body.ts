import { z } from 'zod'
import { BadRequest } from '../../errors.ts'

const mostCharacters = 65_536
const deepest = 100

/** As the hosted service measures it: in characters, whatever they take on the way. */
export const EventText = z
  .string()
  .refine((text) => text.length <= mostCharacters || Array.from(text).length <= mostCharacters, {
    error: `is longer than ${mostCharacters} characters: put it where the routine can fetch it`,
  })
  .superRefine((text, context) => report(unkeepable(text), context))

const EventPayload = z
  .record(z.string(), z.unknown())
  .superRefine((payload, context) => report(unkeepable(payload), context))

/** What a caller says about the occasion: `event` in prompts. */
export const eventKeys = {
  text: EventText.optional().describe('Words for the prompt, as `event.text`; to the agent they are data, not orders.'),
  payload: EventPayload.optional().describe('Any JSON object, as `event`.'),
}

type Said = { text?: string | undefined; payload?: Record<string, unknown> | undefined }

/** The event they make together; undefined = nothing was said. */
export function eventOf({ text, payload }: Said): Record<string, unknown> | undefined {
  if (text === undefined) return payload && plain(payload)
  if (payload && Object.hasOwn(payload, 'text'))
    throw new BadRequest('text is given twice: beside the payload and in it', 'leave one of them out')
  return plain({ ...payload, text })
}

/** As it comes back from the ledger (-0 is 0 there), so that the same request is told to be the same. */
const plain = (payload: Record<string, unknown>) => JSON.parse(JSON.stringify(payload)) as Record<string, unknown>

function report(problem: string | undefined, context: z.RefinementCtx): void {
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
}

/** Why the ledger cannot keep a value: its text is Unicode without NUL, and nobody reads what is nested without end. */
function unkeepable(value: unknown): string | undefined {
  const left: { part: unknown; depth: number }[] = [{ part: value, depth: 0 }]
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    const { part, depth } = one
    if (typeof part === 'string' && (part.includes('\0') || !part.isWellFormed()))
      return 'must be valid Unicode without NUL'
    if (typeof part !== 'object' || part === null) continue
    if (depth >= deepest) return `is nested more than ${deepest} deep`
    for (const [key, inner] of Object.entries(part)) {
      left.push({ part: key, depth }, { part: inner, depth: depth + 1 })
    }
  }
  return undefined
}

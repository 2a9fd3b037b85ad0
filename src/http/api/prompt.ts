import { z } from 'zod'
import { partsOf, type PromptPart } from '../../routines/prompt/outside-text.ts'
import type { Face } from '../face.ts'
import { redacted } from '../redacted.ts'

export const PromptJson = z.object({
  run: z.string(),
  parts: z
    .array(
      z.object({
        from: z
          .string()
          .nullable()
          .describe(
            'Where text from outside was put in, such as `event.title`; null = words of the routine and of ours.',
          ),
        text: z.string().describe('Without what looks like a credential, or is called one.'),
        cut: z.number().int().describe('So many characters at its end were too long to be told.'),
      }),
    )
    .describe('All parts in their order are the prompt; the marks around those from outside are left out.'),
})
export type PromptJson = z.infer<typeof PromptJson>

type PromptFace = Pick<Face, 'promptOf'> & { ledger: { runs: Pick<Face['ledger']['runs'], 'attemptsOf'> } }

/** What the agent of the last attempt that had one was told, as people read it; undefined = none was told anything yet. */
export async function promptParts(face: PromptFace, run: string): Promise<PromptPart[] | undefined> {
  for (const { fence } of (await face.ledger.runs.attemptsOf(run)).toReversed()) {
    const told = await face.promptOf(run, fence)
    if (told) return partsOf(told.prompt, told.nonce).map((part) => ({ ...part, text: redacted(part.text) }))
  }
  return undefined
}

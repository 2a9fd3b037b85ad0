import type { Command } from 'commander'
import type { PromptJson } from '../http/api/prompt.ts'
import { connect } from './client.ts'
import type { Context } from './context.ts'
import { visible } from './events.ts'

export function addPrompt(program: Command, context: Context): void {
  program
    .command('prompt')
    .argument('<run>', 'id, or the beginning of one')
    .description('what the agent of a run was told; text from outside stands behind a bar')
    .option('--json', 'print JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      await using client = await connect(context)
      const prompt = await client.json<PromptJson>(`/v1/runs/${encodeURIComponent(id)}/prompt`)
      if (json) return context.out(`${JSON.stringify(prompt)}\n`)
      context.out(`${prompt.parts.map(written).join('')}\n`)
    })
}

/** Every line from outside begins with a bar, so that it cannot end the part that it stands in. */
function written({ from, text, cut }: PromptJson['parts'][number]): string {
  if (from === null) return visible(text)
  const lines = visible(text).split('\n')
  const missing = cut > 0 ? [`… ${cut} characters were cut off`] : []
  return `\n┌ from outside: ${visible(from)}\n${[...lines, ...missing].map((line) => `│ ${line}\n`).join('')}└\n`
}

import { hear, type Result, type ToolResult, type ToolUse } from './claude-messages.ts'
import { toolAnswer, toolCall } from './claude-tools.ts'
import type { EngineEvent, ToolCall } from './engine.ts'

/** Of a line that cannot be read, so much is shown. */
const shownOfBroken = 200

/** Turns what the CLI prints, line by line, into what engines tell; keeps what decides how it ended. */
export function createClaudeStory(cwd: string, spentUsd: number) {
  const calls = new Map<string, ToolCall>()
  const seen: { result: Result | undefined; acted: boolean } = { result: undefined, acted: false }

  function began(use: ToolUse): EngineEvent {
    const call = toolCall(use, cwd)
    calls.set(use.id, call)
    seen.acted = true
    return { sessionUpdate: 'tool_call', status: 'in_progress', ...call }
  }
  function ended(result: ToolResult): EngineEvent {
    const unknown: ToolCall = { toolCallId: result.tool_use_id, title: 'a tool', kind: 'other', content: [] }
    const call = calls.get(result.tool_use_id) ?? unknown
    calls.delete(result.tool_use_id)
    const status = result.is_error === true ? 'failed' : 'completed'
    return { sessionUpdate: 'tool_call_update', status, ...call, content: toolAnswer(result) }
  }

  return {
    seen,
    tell(line: string): EngineEvent[] {
      if (line.trim() === '') return []
      const heard = hear(line)
      switch (heard.kind) {
        case 'other':
          return []
        case 'init':
          return [{ session: heard.session }]
        case 'retry':
          return [aside(`the model did not answer (${heard.why}); try ${heard.attempt} of ${heard.of}`)]
        case 'broken':
          return [aside(`a line that cannot be read: ${line.slice(0, shownOfBroken)}`)]
        case 'result':
          seen.result = heard.result
          return costOf(heard.result, spentUsd)
        case 'blocks':
          return heard.blocks.flatMap((block): EngineEvent[] => {
            if (block.type === 'tool_use') return [began(block)]
            if (block.type === 'tool_result') return [ended(block)]
            // Only the agent speaks: what else has the form of its words is a prompt or a reminder.
            if (heard.from === 'user') return []
            const text = block.type === 'text' ? block.text : block.thinking
            if (text.trim() === '') return []
            // A helper's words are for the agent that called it.
            const isAloud = block.type === 'text' && !heard.inner
            return [{ sessionUpdate: isAloud ? 'agent_message_chunk' : 'agent_thought_chunk', content: whole(text) }]
          })
      }
    },
  }
}

/** Messages come whole, and the next one begins on a line of its own. */
const whole = (text: string) => ({ type: 'text' as const, text: text.endsWith('\n') ? text : `${text}\n` })

/** What the program around the agent has to say stands beside its words. */
const aside = (text: string): EngineEvent => ({
  sessionUpdate: 'agent_message_chunk',
  stream: 'stderr',
  content: { type: 'text', text: `${text}\n` },
})

/** The CLI counts a session from its beginning, whoever paid for that. */
function costOf({ total_cost_usd: total }: Result, spentUsd: number): EngineEvent[] {
  if (total === null || total === undefined) return []
  return [{ sessionUpdate: 'usage_update', cost: { amount: Math.max(0, total - spentUsd), currency: 'USD' } }]
}

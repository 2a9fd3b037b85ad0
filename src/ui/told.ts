import type { TranscriptLine } from '../runs/transcript.ts'

/** One thing the engine told. Speech of an agent comes in pieces without a stream; a plain command has two streams. */
export type StoryLine = { at: string; stream?: 'stdout' | 'stderr'; content: { type: 'text'; text: string } }
export type ToolLine = Extract<TranscriptLine, { toolCallId: string }>
/** What was asked of a tool and what it answered; either may be out of sight. */
type ToolItem = { kind: 'tool'; call: ToolLine | undefined; answer: ToolLine | undefined }
export type StoryItem =
  | { kind: 'output'; line: StoryLine }
  | { kind: 'thought'; text: string }
  | ToolItem
  | { kind: 'left_out'; bytes: number }

/** A line of a transcript as a reader meets it; undefined for what is told elsewhere (the bill is among the facts). */
export function storyItemOf(line: TranscriptLine): StoryItem | undefined {
  switch (line.sessionUpdate) {
    case 'agent_message_chunk':
      return { kind: 'output', line }
    case 'agent_thought_chunk':
      return { kind: 'thought', text: line.content.text }
    case 'tool_call':
      return { kind: 'tool', call: line, answer: undefined }
    case 'tool_call_update':
      return { kind: 'tool', call: undefined, answer: line }
    case 'usage_update':
      return undefined
  }
}

/** A line that came in pieces (a progress display, a slow writer) is one line again, and an answer stands with its call. */
export function joined(items: readonly StoryItem[]): StoryItem[] {
  const told: StoryItem[] = []
  const asked = new Map<string, ToolItem>()
  for (const item of items) {
    const last = told.at(-1)
    const call = item.kind === 'tool' && item.answer ? asked.get(item.answer.toolCallId) : undefined
    if (call && item.kind === 'tool') call.answer = item.answer
    else if (item.kind === 'output' && last?.kind === 'output' && goesOn(last.line, item.line))
      told[told.length - 1] = { kind: 'output', line: continued(last.line, item.line) }
    else told.push(item.kind === 'tool' ? remembered(asked, { ...item }) : item)
  }
  return told
}

function remembered(asked: Map<string, ToolItem>, item: ToolItem): ToolItem {
  if (item.call) asked.set(item.call.toolCallId, item)
  return item
}

function goesOn(last: StoryLine, line: StoryLine): boolean {
  return last.stream === line.stream && !last.content.text.endsWith('\n')
}

function continued(line: StoryLine, more: StoryLine): StoryLine {
  return { ...line, content: { type: 'text', text: line.content.text + more.content.text } }
}

import { relative } from 'node:path'
import type { ToolResult, ToolUse } from './claude-messages.ts'
import type { ToolCall, ToolKind } from './engine.ts'

/** Of what a tool is given, and of what it answers, this much is kept: a person reads it, nobody runs it again. */
const keptCharacters = 8000
const titleCharacters = 160

const kinds: Readonly<Record<string, ToolKind>> = {
  Bash: 'execute',
  Read: 'read',
  Edit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Grep: 'search',
  Glob: 'search',
  WebFetch: 'fetch',
  WebSearch: 'fetch',
  Task: 'think',
  Agent: 'think',
}

export function toolCall({ id, name, input }: ToolUse, cwd: string): ToolCall {
  return {
    toolCallId: id,
    title: titleOf(name, input, cwd),
    kind: kinds[name] ?? 'other',
    content: texts(given(name, input)),
  }
}

export function toolAnswer({ content }: ToolResult): ToolCall['content'] {
  if (content === undefined) return []
  if (typeof content === 'string') return texts(content)
  return texts(content.map((block) => block.text ?? `(${block.type})`).join('\n'))
}

/** "Edit src/app.ts", "Bash npm test": the tool and what it is about. */
function titleOf(name: string, input: Record<string, unknown>, cwd: string): string {
  const path = text(input['file_path']) ?? text(input['notebook_path']) ?? text(input['path'])
  const about =
    path === undefined
      ? (text(input['command']) ?? text(input['pattern']) ?? text(input['description']) ?? '')
      : inside(path, cwd)
  const line = `${name} ${about}`.trim().split('\n')[0] ?? name
  return line.length > titleCharacters ? `${line.slice(0, titleCharacters - 1)}…` : line
}

function inside(path: string, cwd: string): string {
  const within = relative(cwd, path)
  return within === '' || within.startsWith('..') ? path : within
}

/** What there is to read beyond the title. */
function given(name: string, input: Record<string, unknown>): string {
  const [before, after] = [text(input['old_string']), text(input['new_string'])]
  if (before !== undefined && after !== undefined) return `${marked('-', before)}${marked('+', after)}`
  const whole = text(input['command']) ?? text(input['content']) ?? text(input['prompt'])
  if (whole !== undefined)
    return name === 'Bash' && !whole.includes('\n') && whole.length < titleCharacters - 8 ? '' : whole
  return kinds[name] === 'read' ? '' : JSON.stringify(input, null, 2)
}

const marked = (mark: string, lines: string) =>
  lines
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `${mark} ${line}\n`)
    .join('')

function texts(whole: string): ToolCall['content'] {
  if (whole === '') return []
  const more = whole.length - keptCharacters
  const kept = more > 0 ? `${whole.slice(0, keptCharacters)}\n… ${more.toLocaleString('en-US')} more characters` : whole
  return [{ type: 'content', content: { type: 'text', text: kept } }]
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

import { html, type Html, type Part } from './html.ts'
import { duration } from './moment.ts'
import type { ToolLine } from './told.ts'

const shownOfResult = 80
const marks = { completed: '✓', failed: '!', in_progress: '●' } as const

/** One line: what was done, what came of it, how long it took. What was given and what came back is folded. */
export function toolItem(call: ToolLine | undefined, answer: ToolLine | undefined): Html {
  const line = answer ?? call
  if (!line) return html``
  const took = call && answer ? new Date(answer.at).getTime() - new Date(call.at).getTime() : Number.NaN
  const given = textOf(call)
  const result = textOf(answer)
  const short = resultLine(line, result)
  const head = html`<span aria-hidden="true">${marks[line.status]}</span>
    <span class="what">${line.title}</span>
    ${line.status === 'failed' && html`<b>failed</b> `}${short !== '' && html`<span class="result">${short}</span> `}${Number.isFinite(took) && html`<span class="took">${duration(took)}</span>`}`
  const id = `tool-${line.toolCallId.replaceAll(/[^\w-]/g, '_')}`
  if (given === '' && result === '') return html`<p class="tool" id="${id}">${head}</p>`
  return html`<details class="tool" id="${id}">
    <summary>${head}</summary>
    ${block('given', given)} ${block('answer', result)}
  </details>`
}

function block(kind: string, text: string): Part {
  return text !== '' && html`<pre class="${kind}">${text}</pre>`
}

function textOf(line: ToolLine | undefined): string {
  return (line?.content ?? []).map(({ content }) => content.text).join('\n')
}

/** Of a command the last line, which is where programs sum up; of a failure the first, which says why; of a file nothing. */
function resultLine({ kind, status }: ToolLine, result: string): string {
  const lines = result.split('\n').filter((line) => line.trim() !== '')
  const line = status === 'failed' ? lines[0] : lines.at(-1)
  if (line === undefined || (status !== 'failed' && kind !== 'execute')) return ''
  return line.length > shownOfResult ? `${line.slice(0, shownOfResult - 1)}…` : line
}

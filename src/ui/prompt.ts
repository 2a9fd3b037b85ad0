import type { PromptPart } from '../routines/prompt/outside-text.ts'
import { html, type Html, type Part } from './html.ts'
import { count } from './words.ts'

/** What a page shows at once; `overnight prompt` prints all of it. */
const shownCharacters = 64 * 1024

/** What the agent was told, folded. Text from outside stands in a frame of its own that says where it is from. */
export function promptSection(parts: readonly PromptPart[] | null, run: string): Part {
  if (parts === null) return null
  const outside = parts.filter(({ from }) => from !== null).length
  const { shown, leftOut } = beginning(parts)
  return html`<details id="prompt" class="prompt">
    <summary>What it was told${outside > 0 && html`, with ${count(outside, 'text')} from outside`}</summary>
    <div class="told">${shown.map(partOf)}</div>
    ${leftOut > 0 && html`<p class="left-out">${count(leftOut, 'character')} more: <code class="command">overnight prompt ${run}</code></p>`}
  </details>`
}

function partOf({ from, text, cut }: PromptPart): Html {
  if (from === null) return html`<pre>${text}</pre>`
  const missing = cut > 0 && html`<p class="left-out">${count(cut, 'character')} of it were cut off</p>`
  return html`<figure class="outside">
    <figcaption>From outside: <code>${from}</code></figcaption>
    <pre>${text}</pre>
    ${missing}
  </figure>`
}

function beginning(parts: readonly PromptPart[]): { shown: PromptPart[]; leftOut: number } {
  const shown: PromptPart[] = []
  let [left, leftOut] = [shownCharacters, 0]
  for (const part of parts) {
    const text = part.text.slice(0, left)
    if (text !== '' || part.text === '') shown.push({ ...part, text })
    left -= text.length
    leftOut += part.text.length - text.length
  }
  return { shown, leftOut }
}

import { html, type Html, type Part } from './html.ts'
import { clockTime, type Clock } from './moment.ts'
import { joined, type StoryItem, type StoryLine } from './told.ts'
import { toolItem } from './tool.ts'

export type { StoryItem }

/** A finished story is long: its end is what people read first. */
const shownAtOnce = 80
const quietMs = 60_000

export function storySection(items: readonly StoryItem[], options: { clock: Clock; ended: boolean }): Html {
  const { clock, ended } = options
  const told = joined(items)
  const drawn = told.map((item, place) => storyItem(item, { clock, before: told[place - 1] }))
  const folded = ended && drawn.length > shownAtOnce * 1.5 ? drawn.length - shownAtOnce : 0
  return html`<section id="story" aria-labelledby="story-title">
    <h2 id="story-title">Story</h2>
    ${
      folded > 0 &&
      html`<details class="earlier" id="earlier">
        <summary>${folded.toLocaleString('en-US')} earlier lines</summary>
        <div class="told">${drawn.slice(0, folded)}</div>
      </details>`
    }
    <div class="told" id="told" role="log" aria-live="off" aria-labelledby="story-title" tabindex="0">
      ${drawn.slice(folded)}
    </div>
    ${drawn.length === 0 && html`<p class="nothing">${ended ? 'The agent said nothing.' : 'The agent has not said anything yet.'}</p>`}
  </section>`
}

/** One element, ready to be appended to `#told`. `before` is what was told last: after a silence the time is shown. */
export function storyItem(item: StoryItem, { clock, before }: { clock: Clock; before?: StoryItem | undefined }): Html {
  if (item.kind === 'left_out')
    return html`<p class="left-out">${kilobytes(item.bytes)} left out here: they are no longer kept</p>`
  if (item.kind === 'tool') return toolItem(item.call, item.answer)
  if (item.kind === 'thought')
    return html`<details class="thought">
      <summary>Thinking</summary>
      <p>${item.text.trim()}</p>
    </details>`
  return storyLine(item.line, clock, before?.kind === 'output' ? before.line : undefined)
}

function storyLine(line: StoryLine, clock: Clock, before?: StoryLine): Html {
  const text = line.content.text.replaceAll('\r\n', '\n')
  if (line.stream === undefined) return html`<span class="said">${text}</span>`
  const at = new Date(line.at)
  const silence = before ? at.getTime() - new Date(before.at).getTime() : Number.POSITIVE_INFINITY
  const time: Part = silence >= quietMs && !Number.isNaN(at.getTime()) && clockTime(at, clock)
  const kind = `${line.stream === 'stderr' ? 'err' : 'out'}${text.endsWith('\n') ? '' : ' open'}`
  return html`<p class="${kind}">${time}${text.replace(/\n$/, '')}</p>`
}

function kilobytes(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

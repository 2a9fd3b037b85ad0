import type { PromptPart } from '../routines/prompt/outside-text.ts'
import { actionsOf, buttons } from './actions.ts'
import { changesSection, findingsList, type PatchView } from './changes.ts'
import { factsSection, type FactsView } from './facts.ts'
import { html, type Html } from './html.ts'
import { page } from './page.ts'
import { promptSection } from './prompt.ts'
import { byline, dotted, runPath } from './row.ts'
import { storySection, type StoryItem } from './story.ts'
import { timelineSection, type TimelineView } from './timeline.ts'
import { advice, detail, headline } from './words.ts'

export type RunView = FactsView &
  TimelineView & {
    /** What the agent was told; null = nothing yet. */
    prompt: readonly PromptPart[] | null
    story: readonly StoryItem[]
    patch: PatchView | null
    /** Where the page listens for what comes after this view (the cursor is part of it); null = the run has ended. */
    live: string | null
  }

export function runPage(view: RunView): Html {
  const { run, clock, live, prompt, story, patch } = view
  const body = html`${runHead(view)}
    <nav class="tabs" aria-label="Parts of this run">
      <a href="#story">Story</a><a href="#changes">Changes${patch && ` ${patch.changes.length}`}</a
      ><a href="#timeline">Timeline</a><a href="#facts">Facts</a>
    </nav>
    <div class="sheet">
      <div class="text">
        ${promptSection(prompt, run.id)} ${storySection(story, { clock, ended: run.endedAt !== null })}
        ${changesSection(run, patch)}
      </div>
      <div class="margin">${timelineSection(view)} ${factsSection(view)}</div>
    </div>`
  const title = `${headline(run)} · ${run.routine}`
  return page({
    title,
    clock,
    dateline: null,
    body,
    live,
    kind: 'run',
  })
}

/** Headline, ending, what to do and the buttons: everything that changes together when the state does. */
export function runHead({ run, pull, patch, clock }: Pick<RunView, 'run' | 'pull' | 'patch' | 'clock'>): Html {
  const more = detail(run)
  const next = advice(run)
  const findings = run.state === 'needs_approval' && patch ? patch.findings : []
  return html`<header class="head" id="head">
    <p class="kicker">
      ${dotted([run.state === 'needs_approval' && html`<strong>Needs you</strong>`, run.routine, run.trial && 'trial'])}
    </p>
    <h1>${headline(run)}</h1>
    ${findings.length > 0 ? findingsList(findings) : more !== null && html`<p class="deck">${more}</p>`}
    <p class="byline">${byline({ run, pull }, clock)}</p>
    ${next && html`<p class="advice">${next.text}${next.command !== undefined && html` <code class="command">${next.command}</code>`}</p>`}
    ${run.cancelRequestedAt !== null && run.endedAt === null && html`<p class="advice">Somebody asked to cancel it; it stops within seconds.</p>`}
    ${buttons(actionsOf(run, pull), runPath(run))}
  </header>`
}

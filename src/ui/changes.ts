import type { PatchFacts, Run } from '../ledger/schema.ts'
import { readDiff, type FileDiff, type Hunk } from './diff.ts'
import { html, type Html, type Part } from './html.ts'
import { markWords } from './marks.ts'
import { proposed } from './proposal.ts'
import { count } from './words.ts'

/** What the run changed. `cut`: the diff is longer than what is kept of it. */
export type PatchView = Pick<PatchFacts, 'changes' | 'findings' | 'diff'> & { cut: boolean }
type Change = PatchView['changes'][number]

/** A page of more lines than this is slow on a phone; the rest is named, with the command that shows it. */
const linesOnPage = 3000
const linesOpen = 400
/** Each is named twice; an agent may make more than a browser, or this process, bears. */
const filesOnPage = 500

export function changesSection(run: Run, patch: PatchView | null): Html {
  return html`<section id="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">Changes ${patch && html`<span class="count">${patch.changes.length}</span>`}</h2>
    ${patch ? changed(run, patch) : html`<p class="nothing">${run.endedAt ? 'It changed nothing.' : 'Nothing is collected yet.'}</p>`}
    ${proposed(run)}
  </section>`
}

function changed(run: Run, { changes, findings, diff, cut }: PatchView): Html {
  const files = fitted(readDiff(diff))
  const named = changes.slice(0, filesOnPage)
  const shown = new Map(files.map((file) => [file.path, file]))
  const added = changes.reduce((sum, change) => sum + change.added, 0)
  const removed = changes.reduce((sum, change) => sum + change.removed, 0)
  const isCut = cut || files.length < changes.length
  return html`${
      findings.length > 0 &&
      run.state !== 'needs_approval' &&
      html`<p class="sum">What the gate found:</p>
        ${findingsList(findings)}`
    }
    <p class="sum">${count(changes.length, 'file')}, ${tally(added, removed)}</p>
    <ol class="files">
      ${named.map((change, place) => html`<li><a href="#file-${place + 1}">${change.path}</a> <span class="fact">${whatBecame(change)}</span> ${!change.binary && tally(change.added, change.removed)}</li>`)}
    </ol>
    ${changes.length > named.length && html`<p class="left-out">And ${count(changes.length - named.length, 'more file')}.</p>`}
    ${named.map((change, place) => fileSection(change, shown.get(change.path), place + 1))}
    ${isCut && html`<p class="left-out">The change is longer than this page. All of it: <code class="command">git diff ${run.base ?? 'HEAD'}...${run.branch ?? 'overnight'}</code></p>`}`
}

/** The files whose lines fit on the page together, in their order. */
function fitted(files: readonly FileDiff[]): FileDiff[] {
  let lines = 0
  return files.filter((file) => {
    const more = lengthOf(file)
    if (lines + more > linesOnPage) return false
    lines += more
    return true
  })
}
const lengthOf = (file: FileDiff) => file.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)

export function findingsList(findings: PatchView['findings']): Html {
  return html`<ul class="findings">
    ${findings.map(({ message }) => html`<li>${message}</li>`)}
  </ul>`
}

function tally(added: number, removed: number): Html {
  return html`<span class="tally"
    ><span aria-label="${count(added, 'line')} added">+${added}</span>
    <span aria-label="${count(removed, 'line')} removed">−${removed}</span></span
  >`
}

function whatBecame({ status, oldMode, newMode }: Change): Part {
  if (newMode === '120000') return `${status}, a link`
  if (newMode === '160000') return `${status}, a submodule`
  if (status === 'modified' && oldMode !== newMode)
    return newMode === '100755' ? 'made executable' : 'no longer executable'
  return status === 'modified' ? null : status.replaceAll('_', ' ')
}

function fileSection(change: Change, file: FileDiff | undefined, place: number): Html {
  const open = file !== undefined && lengthOf(file) <= linesOpen
  return html`<details class="file" id="file-${place}" ${open && html`open`}>
    <summary>
      <h3>${change.path}</h3>
      ${!change.binary && tally(change.added, change.removed)}
    </summary>
    ${file ? fileBody(change, file) : html`<p class="nothing">Not shown: the change is too long for this page.</p>`}
  </details>`
}

function fileBody(change: Change, file: FileDiff): Html {
  if (change.binary || file.binary) return html`<p class="nothing">Not text; ${count(change.bytes, 'byte')} now.</p>`
  if (file.hunks.length === 0) return html`<p class="nothing">No line changed.</p>`
  return html`<div class="diff">${file.hunks.map(hunkBlock)}</div>`
}

function hunkBlock({ context, lines }: Hunk): Html {
  const drawn = markWords(lines).map(({ line, stretches }) => {
    const text = stretches.map((stretch) => (stretch.marked ? html`<b>${stretch.text}</b>` : stretch.text))
    if (line.kind === 'added') return html`<ins data-n="${line.number}">${text}</ins>`
    if (line.kind === 'removed') return html`<del data-n="${line.number}">${text}</del>`
    return line.kind === 'note' ? html`<em>${text}</em>` : html`<span data-n="${line.number}">${text}</span>`
  })
  return html`<p class="hunk">${context}</p>
    ${drawn}`
}

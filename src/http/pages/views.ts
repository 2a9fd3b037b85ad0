import { NotFound } from '../../errors.ts'
import type { Run, RunState } from '../../ledger/schema.ts'
import { composeEdition, editionHours, type FileProblem, type HomeView } from '../../ui/edition.ts'
import type { Clock } from '../../ui/moment.ts'
import { outsidePull, type PullView } from '../../ui/pull.ts'
import type { RunView } from '../../ui/run.ts'
import { storyItemOf, type StoryItem } from '../../ui/told.ts'
import { sizeOf } from '../../runs/transcript.ts'
import type { Face } from '../face.ts'
import { promptParts } from '../api/prompt.ts'
import { storyAfter, storyStart, writeCursor, type StoryCursor } from '../story.ts'

const open: readonly RunState[] = [
  'queued',
  'preparing',
  'working',
  'waiting',
  'parked',
  'collecting',
  'publishing',
  'needs_approval',
]
/** What a page shows of a transcript at once; the rest is on disk and in `overnight logs`. */
const storyBytes = 384 * 1024

/** Pages are for people. */
const everything = () => true

export async function clockOf(face: Face): Promise<Clock> {
  return { now: await face.ledger.now(), zone: face.zone }
}

export async function homeView(face: Face): Promise<HomeView> {
  const clock = await clockOf(face)
  const since = new Date(clock.now.getTime() - editionHours * 3_600_000)
  const { ledger } = face
  const { runs, slots, routines, events } = ledger
  // Asked first: what happens while the page is made is told to it afterwards.
  const live = `/live?after=${await events.newest()}`
  const pulls = await face.pulls.list({ state: 'open' })
  const lists = [
    await face.explainWaits(await runs.list({ states: open, limit: 200 }), everything),
    await runs.list({ endedSince: since, limit: 200 }),
    await runs.withPulls(pulls.map((pull) => pull.id)),
  ]
  const whole = await ledger.pauses.whole()
  const unique = new Map(lists.flat().map((run) => [run.id, run]))
  const elsewhere = pullsElsewhere([...unique.values()])
  return composeEdition({
    clock,
    runs: [...unique.values()],
    pulls: [...pulls, ...elsewhere],
    schedules: await routines.schedules(),
    slots: await slots.idleSince(since, 50),
    routines: (await routines.list()).map((row) => row.name),
    rolledBack: new Set(face.library.snapshot().rolledBack.keys()),
    pauses: [...(whole ? [{ ...whole, routine: null }] : []), ...(await ledger.pauses.list())],
    alerts: await ledger.alerts.open(),
    problems: face.library.snapshot().problems.map((problem): FileProblem => ({
      file: `${problem.file}:${problem.line}:${problem.column}`,
      message: problem.message,
      hint: problem.hint ?? null,
    })),
    live,
  })
}

export async function runView(face: Face, id: string): Promise<RunView> {
  const { ledger } = face
  const found = await face.acts.find(id)
  const run = (await face.explainWaits([found], everything))[0] ?? found
  const { items, cursor } = await readStory(face, run.id)
  const patch = await ledger.publications.changesOf(run.id)
  return {
    run,
    clock: await clockOf(face),
    prompt: (await promptParts(face, run.id)) ?? null,
    story: items,
    events: await ledger.events.last(run.id, 500),
    patch: patch ? { ...patch, cut: patch.diffCut } : null,
    pull: await pullOf(face, run),
    firings: await ledger.firings.ofRun(run.id),
    attempts: await ledger.runs.attemptsOf(run.id),
    version: (await ledger.routines.readVersion(run.routine, run.hash)) ?? null,
    live: run.endedAt === null ? `/runs/${run.id}/live?from=${writeCursor(cursor)}` : null,
  }
}

/** The pull requests on forges with pages of their own, newest first; `runs` that published them, in any order. */
export function pullsElsewhere(runs: readonly Run[]): PullView[] {
  const published = runs.filter(({ state }) => state === 'published')
  const newestFirst = published.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  const pulls = newestFirst.flatMap((run) => outsidePull(run) ?? [])
  return pulls.filter(({ id }, index) => pulls.findIndex((pull) => pull.id === id) === index)
}

async function pullOf(face: Face, run: Run): Promise<PullView | null> {
  const outside = outsidePull(run)
  if (run.pull === null || outside) return outside
  return face.pulls.read(run.pull).catch((error: unknown) => {
    if (error instanceof NotFound) return null
    throw error
  })
}

/** The end of the story, as much as a page can carry, and the place to go on from. */
async function readStory(face: Face, run: string): Promise<{ items: StoryItem[]; cursor: StoryCursor }> {
  const items: { item: StoryItem; bytes: number }[] = []
  let [cursor, bytes, leftOut] = [storyStart, 0, 0]
  for await (const part of storyAfter(face, run, storyStart)) {
    cursor = part.cursor
    if (part.kind === 'event') continue
    const item = part.kind === 'output' ? storyItemOf(part.line) : part
    if (!item) continue
    const size = part.kind === 'output' ? sizeOf(part.line) : 0
    items.push({ item, bytes: size })
    bytes += size
    while (bytes > storyBytes && items.length > 1) {
      const dropped = items.shift()!
      bytes -= dropped.bytes
      leftOut += dropped.item.kind === 'left_out' ? dropped.item.bytes : dropped.bytes
    }
  }
  const kept = items.map(({ item }) => item)
  return { items: leftOut > 0 ? [{ kind: 'left_out', bytes: leftOut }, ...kept] : kept, cursor }
}

import { reasons, type Reason } from '../errors.ts'
import type { Run, RunState } from '../ledger/schema.ts'
import { html, type Html } from './html.ts'

/** Who a state concerns: `you` is the only one that is coloured. */
type Tone = 'you' | 'bad' | 'busy' | 'calm'
export type StateWord = { shape: string; word: string; tone: Tone; headline: string }

/** A state has a shape and a word, so that nothing is said by colour alone. `headline` is for runs that have no sentence of their own yet. */
export const stateWords: Readonly<Record<RunState, StateWord>> = {
  queued: { shape: '◐', word: 'queued', tone: 'busy', headline: 'Waiting for its turn' },
  preparing: { shape: '●', word: 'preparing', tone: 'busy', headline: 'Preparing the checkout' },
  working: { shape: '●', word: 'working', tone: 'busy', headline: 'The agent is at work' },
  waiting: { shape: '◐', word: 'waiting', tone: 'busy', headline: 'Waiting for an answer' },
  parked: { shape: '◐', word: 'parked', tone: 'busy', headline: 'Parked until it may go on' },
  collecting: { shape: '●', word: 'collecting', tone: 'busy', headline: 'Collecting what changed' },
  publishing: { shape: '●', word: 'publishing', tone: 'busy', headline: 'Publishing the change' },
  needs_approval: { shape: '◇', word: 'needs approval', tone: 'you', headline: 'A change waits for approval' },
  published: { shape: '✓', word: 'published', tone: 'calm', headline: 'A change is published' },
  unchanged: { shape: '–', word: 'unchanged', tone: 'calm', headline: 'Nothing needed changing' },
  reported: { shape: '✓', word: 'reported', tone: 'calm', headline: 'A report is ready' },
  failed: { shape: '!', word: 'failed', tone: 'bad', headline: 'It failed' },
  cancelled: { shape: '×', word: 'cancelled', tone: 'calm', headline: 'Cancelled' },
  timed_out: { shape: '!', word: 'timed out', tone: 'bad', headline: 'The time limit was reached' },
  skipped: { shape: '»', word: 'skipped', tone: 'calm', headline: 'Skipped' },
}

const saysWhatItDid: readonly RunState[] = ['published', 'reported', 'needs_approval', 'publishing']

/** The sentence a list and a page head a run with: what it did, else why it ended, else what it is doing. */
export function headline(run: Run): string {
  const word = stateWords[run.state].headline
  if (saysWhatItDid.includes(run.state)) return run.title?.trim() || word
  return capital((reasonText(run) ?? (run.state === 'unchanged' ? run.message : null)) || word)
}

/** What there is to say beyond the headline, or null. */
export function detail(run: Run): string | null {
  if (run.state === 'queued' && run.waitsFor !== null) return `It waits for ${run.waitsFor}`
  if (run.message === null || capital(run.message) === headline(run)) return null
  return capital(run.message)
}

/** The words for a reason that the ledger keeps; unknown ones are shown as they are. */
export function reasonText(run: Pick<Run, 'reason'>): string | null {
  return run.reason !== null && isReason(run.reason) ? reasons[run.reason] : run.reason
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text)
}

/** The next step a person can take for this ending, and the command for it. */
export type Advice = { text: string; command?: string }

const again = 'then retry'
const kept = 'what it changed is kept'
const advices: Readonly<Record<Reason, ((run: Run) => Advice) | null>> = {
  agent_exit: () => ({ text: `Read the end of the story, mend the routine or its program, ${again}.` }),
  agent_lost: () => ({ text: 'Nobody saw what the agent had done by then. Retry starts it afresh.' }),
  no_checkout: () => ({ text: `Check the repository and its base branch, ${again}.`, command: 'overnight check' }),
  no_sandbox: () => ({ text: 'See which sandboxes work on this machine.', command: 'overnight doctor' }),
  not_available: () => ({ text: `Take the named key out of the routine file, ${again}.`, command: 'overnight check' }),
  no_pull_request: () => ({
    text: 'Let an event of a pull request fire it, comment on one what the routine listens to, or name one: overnight fire … --pull 7.',
  }),
  fork: () => ({ text: `Nothing is pushed to forks: hand the change to its author; ${kept}.` }),
  pull_request_over: () => ({ text: `Retry starts from the pull request as it is now; ${kept}.` }),
  bad_inputs: (run) => ({ text: 'Fire it with the inputs it asks for.', command: `overnight fire ${run.routine}` }),
  policy: () => ({ text: 'Read the findings and the change, then publish it or deny it.' }),
  too_large: () => ({ text: `Let the routine do less at once, ${again}.` }),
  patch_invalid: () => ({ text: 'Retry. If it happens again, look at what the agent does to the repository itself.' }),
  push_refused: () => ({ text: `Look at the rules the repository has for branches, ${again}; ${kept}.` }),
  branch_has_other_commits: () => ({ text: `Merge or delete that branch, ${again}; ${kept}.` }),
  forge_unavailable: () => ({ text: `Retry when it answers again; ${kept}.` }),
  forge_denied: () => ({
    text: `Renew the token or the App's permissions, ${again}; ${kept}.`,
    command: 'overnight doctor',
  }),
  setup: () => ({ text: `Read in the story what the step said, mend it or the repository, ${again}.` }),
  no_agent: () => ({ text: `Install the program the routine names, or correct engine.command, ${again}.` }),
  model_sign_in: () => ({
    text: `Set ANTHROPIC_API_KEY (or CLAUDE_CODE_OAUTH_TOKEN) to one that works, start the service again, ${again}.`,
    command: 'overnight doctor',
  }),
  model_refused: () => ({
    text: `Read the end of the story: the model says why. Mend the routine, ${again}; ${kept}.`,
  }),
  connector: () => ({
    text: `Do what it says, with the file in connectors/ or with its secret, ${again}.`,
    command: 'overnight check',
  }),
  relay_lost: () => ({ text: `Read the log of the service for the reason, ${again}.` }),
  model_unavailable: () => ({ text: `Retry when the model answers again; ${kept}.` }),
  turn_limit: () => ({ text: `Raise limits.turns or ask for less, ${again}; ${kept}.` }),
  budget: () => ({ text: `Raise limits.usd or ask for less, ${again}; ${kept}.` }),
  time_limit: () => ({ text: `Raise limits.minutes or ask for less, ${again}.` }),
  disk_full: () => ({ text: `Make room on the disk of the data folder, ${again}.`, command: 'overnight doctor' }),
  out_of_memory: () => ({ text: `Raise limits.memory or ask for less, ${again}; ${kept}.` }),
  too_many_processes: () => ({ text: `Raise limits.processes or ask for less, ${again}; ${kept}.` }),
  out_of_room: () => ({ text: `Raise limits.disk or ask for less, ${again}; ${kept}.` }),
  lost_worker: () => ({
    text: `Find out why the worker ended (memory, power), ${again}.`,
    command: 'overnight doctor',
  }),
  internal: () => ({ text: `Read the log of the service, ${again}.`, command: 'overnight doctor' }),
  unlisted: null,
  cancelled: null,
  denied: null,
  superseded: null,
  overlap: null,
  depth: null,
  coalesced: null,
  no_catch_up: null,
  catch_up: null,
  catch_up_max: null,
  max_age: null,
  paused: null,
  rate: null,
  removed: null,
}

export function advice(run: Run): Advice | null {
  const give = run.reason !== null && isReason(run.reason) ? advices[run.reason] : null
  return give ? give(run) : null
}

/** The sentence for a reason kept in the ledger (of a slot, a firing); unknown ones are shown as they are. */
export function reasonSentence(reason: string | null): string | null {
  const text = reasonText({ reason })
  return text === null ? null : capital(text)
}

/** Shape and word of a state. */
export function stateMark(state: RunState): Html {
  const { shape, word, tone } = stateWords[state]
  return html`<span class="state ${tone}"><span aria-hidden="true">${shape}</span> ${word}</span>`
}

export function isState(text: unknown): text is RunState {
  return typeof text === 'string' && Object.hasOwn(stateWords, text)
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** With a capital and an end. */
export function sentence(text: string): string {
  return /[.!?:]$/.test(text) ? capital(text) : `${capital(text)}.`
}

/** "1 file", "14 files". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`
}

export function dollars(usd: number): string {
  return usd > 0 && usd < 0.01 ? 'under $0.01' : `$${usd.toFixed(2)}`
}

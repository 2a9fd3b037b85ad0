import type { GitHubTrigger, Routine, WebhookTrigger } from '../routine.ts'
import { writtenSize } from '../keys/size.ts'
import { connectorsText } from './connector-facts.ts'
import { debounceText, missedText, overlapText, paceText } from './when-facts.ts'

/** What a person wants to know of a routine before it is in force, in the order of a page. null = it has no such rule. */
export type Facts = Record<
  'due' | 'who' | 'where' | 'writes' | 'agent' | 'sandbox' | 'network' | 'budget' | 'overlap',
  string
> &
  Record<'setup' | 'tools' | 'debounce' | 'pace' | 'missed' | 'pauses', string | null>

export function factsOf(routine: Routine): Facts {
  const { repository, pullRequest, engine } = routine
  return {
    due: triggersOf(routine).join('; ') || 'when a person fires it',
    who: whoOf(routine),
    where: whereOf(routine),
    writes:
      repository === null
        ? 'nothing'
        : `branches overnight/${routine.name}/… and ${pullRequest.draft ? 'draft pull requests' : 'pull requests'} in ${repository}${gateText(routine)}`,
    agent: [engine.name, engine.model, engine.effort, engine.command.join(' ')].filter(Boolean).join(' '),
    setup: setupText(routine),
    tools: connectorsText(routine.connectors),
    sandbox: sandboxText(routine),
    network: networkText(routine),
    budget: budgetOf(routine),
    overlap: overlapText(routine),
    debounce: debounceText(routine),
    pace: paceText(routine),
    missed: missedText(routine),
    pauses: routine.pauseAfter === 0 ? 'never by itself' : `after ${routine.pauseAfter} failures one after the other`,
  }
}

function whereOf({ repository, base, checkout }: Routine): string {
  if (repository === null) return 'no repository'
  const branch = base === null ? '' : ` at ${base}`
  return `${repository}${branch}${checkout === 'base' ? '' : ', from the pull request that fired it'}`
}

/** What differs from a routine that says nothing of it. */
function gateText({ gate: { paths, maxFiles, maxBytes } }: Routine): string {
  const told = [
    ...(paths === null ? [] : [`only ${paths.join(' ')}`]),
    ...(maxFiles === 100 ? [] : [`up to ${maxFiles} files`]),
    ...(maxBytes === 4 * 1024 * 1024 ? [] : [`up to ${writtenSize(maxBytes)}`]),
  ]
  return told.length === 0 ? '' : `; without asking a person ${told.join(', ')}`
}

function triggersOf({ schedules, github, webhooks, after, api }: Routine): string[] {
  return [
    // Plain words may be several expressions.
    ...new Set(schedules.map(({ written, timezone }) => `${written} ${timezone}`)),
    ...github.map(gitHubText),
    ...webhooks.map(({ source, events }: WebhookTrigger) => `${source} ${events?.join(', ') ?? 'events'}`),
    ...after.map(({ routine, ends }) => `a run of ${routine} ends ${ends.join(' or ')}`),
    ...(api ? ['calls of programs'] : []),
  ]
}

function gitHubText(trigger: GitHubTrigger): string {
  if (trigger.kind === 'command') return `the comment @overnight ${trigger.word}`
  if (trigger.kind === 'label') return `the label ${trigger.name}`
  return ['GitHub', trigger.event, ...(trigger.actions ?? [])].join(' ')
}

function whoOf({ github, webhooks, after, api }: Routine): string {
  const listed = github.flatMap(({ allow }) => [...allow.users, ...allow.bots])
  const forks = github.some(({ allow }) => allow.forks) ? ['also by pull requests from forks'] : []
  const onGitHub = ['whoever may write to the repository on GitHub', ...new Set(listed), ...forks]
  const senders = new Set(webhooks.map(({ source }) => `whoever knows the secret of ${source}, or fills what it polls`))
  return [
    'people of this service',
    ...(github.length === 0 ? [] : onGitHub),
    ...senders,
    ...new Set(after.map(({ routine }) => `whoever may start ${routine}`)),
    ...(api ? ['tokens of programs'] : []),
  ].join('; ')
}

function sandboxText({ sandbox, engine, needsWalls }: Routine): string {
  if (sandbox === 'process') return 'process, which is no boundary'
  const without = engine.name === 'command' && !needsWalls ? '; where none does process, which is no boundary' : ''
  return sandbox ?? `the strongest that starts${without}`
}

function networkText({ sandbox, engine, network }: Routine): string {
  if (sandbox === 'process') return 'not limited'
  const beside = engine.name === 'claude' ? ['the way to its model'] : []
  const reached =
    network === 'none' ? beside : [network === 'open' ? 'every public host' : network.join(', '), ...beside]
  const text = network === 'none' ? ['none', ...reached].join(' but ') : reached.join(', and ')
  return sandbox === null && engine.name === 'command' ? `${text}; not limited where only process starts` : text
}

function setupText({ setup }: Routine): string | null {
  const steps = setup.map(({ run, when, keep }) => {
    const kept = keep.length === 0 ? '' : ` (${keep.join(', ')} kept while ${when.join(' ')} is the same)`
    return `${[run].flat().join(' ')}${kept}`
  })
  return steps.length === 0 ? null : steps.join('; ')
}

function capsText({ memoryBytes, cpus, processes, diskBytes }: Routine['caps']): string[] {
  return [
    ...(memoryBytes === undefined ? [] : [`${writtenSize(memoryBytes)} of memory`]),
    ...(cpus === undefined ? [] : [`${cpus} processors`]),
    ...(processes === undefined ? [] : [`${processes} processes`]),
    ...(diskBytes === undefined ? [] : [`${writtenSize(diskBytes)} of disk`]),
  ]
}

function budgetOf({ limits: { minutes, usd, turns, atOnce }, caps }: Routine): string {
  return [
    `${minutes} min`,
    ...(usd === null ? [] : [`$${usd}`]),
    ...(turns === null ? [] : [`${turns} turns`]),
    ...(atOnce === null ? [] : [`${atOnce} at once`]),
    ...capsText(caps),
  ].join(', ')
}

import type { GitHubTrigger, Routine, WebhookTrigger } from '../routine.ts'

/** What a person wants to know of a routine before it is in force, in the order of a page. */
export type Facts = Record<
  'due' | 'who' | 'where' | 'writes' | 'agent' | 'sandbox' | 'network' | 'budget' | 'overlap',
  string
>

export function factsOf(routine: Routine): Facts {
  const { repository, base, pullRequest, engine, sandbox } = routine
  return {
    due: triggersOf(routine).join('; ') || 'when a person fires it',
    who: whoOf(routine),
    where: repository === null ? 'no repository' : `${repository}${base === null ? '' : ` at ${base}`}`,
    writes:
      repository === null
        ? 'nothing'
        : `branches overnight/${routine.name}/… and ${pullRequest.draft ? 'draft pull requests' : 'pull requests'} in ${repository}`,
    agent: [engine.name, engine.model, engine.effort, engine.command.join(' ')].filter(Boolean).join(' '),
    sandbox: sandbox ?? 'the strongest that starts',
    // Nothing else can be asked for yet: what a file says beyond it is among the warnings.
    network: 'none',
    budget: budgetOf(routine),
    overlap: `${routine.overlap.mode}${routine.overlap.parallel > 1 ? `, ${routine.overlap.parallel} at once` : ''}`,
  }
}

function triggersOf({ schedules, github, webhooks, api }: Routine): string[] {
  return [
    ...schedules.map(({ cron, timezone }) => `${cron} ${timezone}`),
    ...github.map(gitHubText),
    ...webhooks.map(({ source, events }: WebhookTrigger) => `${source} ${events?.join(', ') ?? 'events'}`),
    ...(api ? ['calls of programs'] : []),
  ]
}

function gitHubText(trigger: GitHubTrigger): string {
  if (trigger.kind === 'command') return `the comment @overnight ${trigger.word}`
  if (trigger.kind === 'label') return `the label ${trigger.name}`
  return ['GitHub', trigger.event, ...(trigger.actions ?? [])].join(' ')
}

function whoOf({ github, api }: Routine): string {
  const allowed = github.flatMap(({ allow }) => [...allow.users, ...allow.bots])
  const forks = github.some(({ allow }) => allow.forks) ? ['forks'] : []
  const senders = github.length === 0 ? [] : ['people with write access', ...new Set(allowed), ...forks]
  return ['people of this service', ...senders, ...(api ? ['tokens of programs'] : [])].join(', ')
}

function budgetOf({ limits: { minutes, usd, turns, atOnce } }: Routine): string {
  return [
    `${minutes} min`,
    ...(usd === null ? [] : [`$${usd}`]),
    ...(turns === null ? [] : [`${turns} turns`]),
    ...(atOnce === null ? [] : [`${atOnce} at once`]),
  ].join(', ')
}

import type { Command } from 'commander'
import type { RunRowJson } from '../http/api/run-json.ts'
import { isGood } from '../runs/states.ts'
import { sandboxSaid } from '../sandboxes/sandbox-said.ts'
import { connect } from './client.ts'
import { visible } from './events.ts'
import type { Context } from './context.ts'
import { localTime, table } from './table.ts'

export function addRuns(program: Command, context: Context): void {
  program
    .command('runs')
    .description('list runs, newest first')
    .option('--routine <name>', 'only of this routine')
    .option('--state <state>', 'only in this state')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'print JSON')
    .action(async (options: { routine?: string; state?: string; limit: string; json?: true }) => {
      await using client = await connect(context)
      const query = new URLSearchParams({
        limit: options.limit,
        ...(options.routine ? { routine: options.routine } : {}),
        ...(options.state ? { state: options.state } : {}),
      })
      const { runs } = await client.json<{ runs: RunRowJson[] }>(`/v1/runs?${query.toString()}`)
      if (options.json) return context.out(`${JSON.stringify(runs)}\n`)
      if (runs.length === 0) return context.out('no runs yet: overnight fire <routine>\n')
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      const rows = runs.map((run) => [
        run.run,
        localTime(run.createdAt, zone),
        run.routine,
        run.state,
        visible(whatOf(run)),
      ])
      context.out(table([['run', 'created', 'routine', 'state', 'what'], ...rows]))
    })

  program
    .command('show')
    .argument('<run>', 'id, or the beginning of one')
    .description('show one run')
    .option('--diff', 'print what it changed')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { diff?: true; json?: true }) => {
      await using client = await connect(context)
      if (options.diff) {
        const answer = await client.request(`/v1/runs/${encodeURIComponent(id)}/diff`)
        if (answer.ok) return context.out(visible(await answer.text()))
      }
      const run = await client.json<
        RunRowJson & {
          sandbox: string | null
          notes: string[]
          findings: { message: string }[]
          links: { page: string }
        }
      >(`/v1/runs/${encodeURIComponent(id)}`)
      if (options.json) return context.out(`${JSON.stringify(run)}\n`)
      const facts: [string, string | null | undefined][] = [
        ['run', run.run],
        ['routine', run.routine],
        ['state', run.reason ? `${run.state}: ${run.reason}` : run.state],
        ['what', run.title],
        ['why', run.message],
        ['waits for', run.waitsFor],
        ['sandbox', run.sandbox && sandboxSaid(run.sandbox)],
        ['branch', run.branch],
        ['commit', run.commit],
        ['pull', run.pullRequest && pullText(run.pullRequest)],
        ['seconds', run.seconds?.toString()],
        ['page', client.live && new URL(run.links.page, client.live).href],
      ]
      const notes = run.notes.map((text) => ['note', text] as const)
      const findings = run.findings.map((finding) => ['gate', finding.message] as const)
      const rows = [...facts, ...findings, ...notes].filter(([, value]) => value !== null && value !== undefined)
      context.out(table(rows.map(([name, value]) => [name, visible(value ?? '')])))
    })

  for (const [name, description] of [
    ['deny', 'end a run that needs approval without publishing'],
    ['cancel', 'stop a run'],
    ['retry', 'run the same routine text with the same inputs again'],
  ] as const) {
    program
      .command(name)
      .argument('<run>', 'id, or the beginning of one')
      .description(description)
      .option('--json', 'print JSON')
      .action(async (id: string, options: { json?: true }) => {
        await using client = await connect(context)
        const run = await client.post<RunRowJson>(`/v1/runs/${encodeURIComponent(id)}/${name}`)
        context.out(options.json ? `${JSON.stringify(run)}\n` : `${run.run} ${run.state}\n`)
      })
  }
}

/** What it made, or why it made nothing: who looks for what went wrong is not told what was meant to be. */
export function whatOf(run: Pick<RunRowJson, 'state' | 'title' | 'message' | 'reason' | 'waitsFor'>): string {
  const { title, message, reason } = run
  const waits = run.waitsFor && `waits for ${run.waitsFor}`
  return (isGood(run.state) ? (title ?? message) : (message ?? reason ?? title)) ?? waits ?? ''
}

/** Our own pull requests have a path for an address; others are read where they are. */
function pullText({ number, url }: { number: number; url: string }): string {
  return URL.canParse(url) ? `#${number} ${url}` : `#${number}`
}

import { join } from 'node:path'
import type { EngineTask } from './engine.ts'
import { environmentOf } from './task-files.ts'

/** Everything that works on files and commands. What is not here does not exist for the agent: no timers, no other sessions, no web. */
const tools = ['Bash', 'Read', 'Edit', 'Write', 'NotebookEdit', 'Task', 'TaskStop']
/** What the agent's own default of ten comes to: about four minutes of a model that answers with errors. */
export const defaultRetries = 10

type Start = Pick<EngineTask, 'model' | 'effort' | 'limits' | 'home' | 'resume' | 'connectors'> & {
  /** The sandbox is a boundary: the agent needs nobody's leave inside. */
  walled: boolean
}

/**
 * The prompt is on stdin, never here. MCP servers are the connectors of the run alone. Settings, hooks, agents and commands of the repository are not looked at,
 * because the root for those is a folder of ours that is empty; its CLAUDE.md is read. Without walls, commands run as the
 * operator who chose `process` by name wants it, and the file tools stay in the checkout.
 */
export function claudeArguments({ model, effort, limits, home, resume, connectors, walled }: Start): string[] {
  const allowed = ['Bash', ...(connectors?.names ?? []).map((name) => `mcp__${name}`)]
  return [
    '--print',
    '--output-format=stream-json',
    '--verbose',
    '--strict-mcp-config',
    ...option('mcp-config', connectors?.file ?? null),
    `--project-config-root=${home.trusted}`,
    `--tools=${tools.join(',')}`,
    ...(walled
      ? ['--permission-mode=bypassPermissions']
      : ['--permission-mode=acceptEdits', `--allowedTools=${allowed.join(',')}`]),
    ...option('model', model),
    ...option('effort', effort),
    ...option('max-turns', limits.turns),
    ...option('max-budget-usd', limits.usd),
    ...option('resume', resume?.session ?? null),
  ]
}

const option = (name: string, value: string | number | null) => (value === null ? [] : [`--${name}=${value}`])

/** The whole environment. The token is the run's own and opens the relay alone. */
export function claudeEnvironment(
  task: EngineTask,
  options: { walled: boolean; retries: number },
): Record<string, string> {
  return {
    HOME: task.home.own,
    ...environmentOf(task),
    CLAUDE_CONFIG_DIR: join(task.home.own, '.claude'),
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: `http://${task.sandbox.forwardedAt ?? '127.0.0.1:9'}`,
    ANTHROPIC_API_KEY: task.modelToken ?? '',
    CLAUDE_CODE_MAX_RETRIES: String(options.retries),
    // Nobody is called but the model.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    // A run has no tomorrow in this home.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_DISABLE_CRON: '1',
    // Without it a root, also one that is uid 1000 behind walls, may not skip permissions.
    ...(options.walled ? { IS_SANDBOX: '1' } : {}),
  }
}

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openDesk, type Desk } from '../support/claude/desk.ts'
import { spoken } from '../support/spoken.ts'

const init = `echo '{"type":"system","subtype":"init","session_id":"s-1"}'`
const result = (fields: object) =>
  `echo '${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, terminal_reason: 'completed', total_cost_usd: 0.5, ...fields })}'`
const said = (text: string) =>
  `echo '${JSON.stringify({ type: 'assistant', message: { content: [{ type: 'text', text }] }, parent_tool_use_id: null })}'`

/** A program in place of Claude Code that behaves as no good one does. */
async function odd(script: string): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'overnight-odd-'))
  const program = join(folder, 'claude')
  await writeFile(program, `#!/bin/sh\n${script}\n`)
  await chmod(program, 0o755)
  const desk = await openDesk({ model: 'http://127.0.0.1:9', sandbox: 'process', program })
  onTestFinished(async () => {
    await desk[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  return desk
}

test('lines that are no JSON, half of one, of an unknown kind, of a wrong shape: told, and read past', async () => {
  const desk = await odd(`
    ${init}; echo; echo 'Warning: something'; echo '{"type":"assistant","message":'; echo '{"type":"assistant","message":7}'
    echo '{"type":"of tomorrow"}'; echo '[]'; echo null; printf 'ü\\377\\n'
    echo '{"type":"assistant","message":{"content":[{"type":"hologram"},{"type":"text","text":"Still here."}]}}'
    echo '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"never-asked","content":[{"type":"image"}]}]}}'
    ${result({ total_cost_usd: 0.25 })}`)
  const { events, stopped, costUsd } = await desk.tell('x')
  expect(stopped).toEqual({ because: 'exit', code: 0, signal: null })
  expect(costUsd).toBe(0.25)
  expect(desk.looked()).toBe(1)
  const asides = events.filter((event) => 'stream' in event && event.stream === 'stderr').map(spoken)
  expect(asides.map((line) => line.replace('a line that cannot be read: ', '').trim())).toEqual([
    'Warning: something',
    '{"type":"assistant","message":',
    '{"type":"assistant","message":7}',
    '[]',
    'null',
    'ü\ufffd',
  ])
  expect(events.map(spoken)).toContain('Still here.\n')
  expect(events).toContainEqual(
    expect.objectContaining({ sessionUpdate: 'tool_call_update', title: 'a tool', status: 'completed' }),
  )
})

test('the last of several results counts', async () => {
  const desk = await odd(`${init}; ${result({ is_error: true })}; ${init}; ${result({ total_cost_usd: 0.75 })}`)
  expect(await desk.tell('x')).toMatchObject({ costUsd: 0.75, stopped: { code: 0 } })
})

test.for([
  [
    'ends in peace without a word',
    'exit 0',
    { code: 0, failure: { reason: 'agent_exit', message: 'the agent ended without a result', mayRepeat: false } },
  ],
  ['crashes', `${init}; ${said('Hm.')}; kill -SEGV $$`, { code: null, signal: 'SIGSEGV' }],
  ['does not know an option', 'echo "error: unknown option --project-config-root" >&2; exit 1', { code: 1 }],
  [
    'says it failed, and ends in peace',
    result({ is_error: true, terminal_reason: 'gave_up' }),
    { code: 0, failure: { reason: 'agent_exit', message: 'it ended: gave_up', mayRepeat: false } },
  ],
  [
    'says success of an answer that was none',
    result({ is_error: true, terminal_reason: 'api_error', api_error_status: 529, result: 'API Error: 529' }),
    { code: 0, failure: { reason: 'model_unavailable', message: 'API Error: 529', mayRepeat: true } },
  ],
] as const)('one that %s', async ([, script, stopped]) => {
  const { events, stopped: seen } = await (await odd(script)).tell('x')
  expect(seen).toEqual({ because: 'exit', signal: null, ...stopped })
  expect(events.filter((event) => 'stopped' in event)).toHaveLength(1)
})

test('one that never reads its prompt, prints a line of 40 MB, and then goes on', async () => {
  const desk = await odd(`head -c 40000000 /dev/zero | tr '\\0' x; echo; ${result({})}`)
  const { stopped, events } = await desk.tell('x', { prompt: 'p'.repeat(3_000_000) })
  expect(stopped.code).toBe(0)
  expect(Math.max(...events.map((event) => spoken(event).length))).toBeLessThan(1000)
})

test('one that heeds neither SIGINT nor SIGTERM is ended with all it started', { timeout: 30_000 }, async () => {
  const desk = await odd(`trap '' INT TERM; (setsid sleep 7403.5 &); echo up > up.txt; while :; do sleep 0.1; done`)
  const stop = new AbortController()
  const telling = desk.tell('x', { signal: stop.signal })
  await vi.waitFor(() => expect(existsSync(join(desk.checkout, 'up.txt'))).toBe(true))
  const asked = performance.now()
  stop.abort()
  expect(await telling).toMatchObject({ stopped: { because: 'aborted', signal: 'SIGKILL' } })
  expect(performance.now() - asked).toBeGreaterThan(9_000)
  expect(performance.now() - asked).toBeLessThan(14_000)
  expect(await desk.alive()).toEqual([])
})

test('what it is started with: a prompt on stdin, an environment of its own, and nothing of ours', async () => {
  const desk = await odd(`printf '%s\\n' "$@" > argv.txt; env | sort > env.txt; cat > prompt.txt; ${result({})}`)
  await desk.tell('x', { prompt: 'a secret wish', model: '-p evil', effort: 'high', limits: { usd: 2.5, turns: 7 } })
  expect(await desk.read('prompt.txt')).toBe('a secret wish')
  const argv = (await desk.read('argv.txt')).trim().split('\n')
  expect(argv).toEqual(
    expect.arrayContaining(['--model=-p evil', '--effort=high', '--max-turns=7', '--max-budget-usd=2.5']),
  )
  expect(argv).toEqual(
    expect.arrayContaining(['--strict-mcp-config', expect.stringMatching(/^--project-config-root=.*\/trusted$/)]),
  )
  expect(argv.join()).not.toContain('wish')
  const env = (await desk.read('env.txt'))
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0])
  expect(env.filter((name) => !/^(ANTHROPIC_|CLAUDE_CODE_|DISABLE_|OVERNIGHT_)/.test(name!)).sort()).toEqual([
    'CLAUDE_CONFIG_DIR',
    'HOME',
    'LANG',
    'PATH',
    'PWD',
    'TMPDIR',
  ])
  expect(env).not.toContain('IS_SANDBOX')
})

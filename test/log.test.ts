import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const value = 'kx"Zq7Lw9\nmT4vR2pY8'

test('a line of the log is one of JSON, without secrets and with controls escaped', () => {
  const program = `
    const { openLog } = await import(${JSON.stringify(resolve(import.meta.dirname, '../src/cli/open-log.ts'))})
    const { log, redaction } = openLog('info')
    log.info('before')
    redaction.learn({ name: 'KEY', value: ${JSON.stringify(value)} })
    for (const value of ['hush', 'hushed']) redaction.learn({ name: 'SHORT', value })
    const child = log.child({ run: 'r1', value: ${JSON.stringify(value)} })
    child.warn({ error: ${JSON.stringify(`no ${value} \u001b[31m\r\n{"level":60}`)}, deep: { url: ${JSON.stringify(`http://x/${encodeURIComponent(value)}`)} } }, ${JSON.stringify(value)})`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level: 30, msg: 'before' }),
    {
      level: 40,
      time: expect.any(String) as string,
      secret: 'SHORT',
      msg: 'a secret of fewer than 8 bytes is neither replaced in texts nor looked for in changes: set a longer one',
    },
    {
      level: 40,
      time: expect.any(String) as string,
      run: 'r1',
      value: '[secret KEY]',
      error: 'no [secret KEY] \u001b[31m\r\n{"level":60}',
      deep: { url: 'http://x/[secret KEY]' },
      msg: '[secret KEY]',
    },
  ])
})

import { expect, test } from 'vitest'
import { claudeEnvironment } from '../../src/engines/claude-start.ts'
import { engineTask } from '../support/engine-task.ts'
import { openHostSandbox } from '../support/host-sandbox.ts'

test('its commands find the HOME that setup left; its own settings are where setup wrote nothing', () => {
  const task = engineTask({ sandbox: openHostSandbox(), folder: '/run' })
  const options = { walled: true, retries: 1 }
  expect(claudeEnvironment(task, options)).toMatchObject({ HOME: '/run/home', CLAUDE_CONFIG_DIR: '/run/home/.claude' })
  const way = { HOME: '/run/left', CLAUDE_CONFIG_DIR: '/run/left/.claude', ANTHROPIC_BASE_URL: 'http://else.where' }
  expect(claudeEnvironment({ ...task, way }, options)).toMatchObject({
    HOME: '/run/left',
    CLAUDE_CONFIG_DIR: '/run/home/.claude',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
  })
})

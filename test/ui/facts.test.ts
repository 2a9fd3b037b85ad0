import { expect, test } from 'vitest'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'
import { runPage } from '../../src/ui/run.ts'
import { runView } from '../support/sample-run-page.ts'

const sandboxOn = (sandbox: SandboxName) =>
  /<dt>Sandbox<\/dt>\s*<dd>([^<]*)</.exec(String(runPage(runView({ run: { ...runView().run, sandbox } }))))?.[1]

test('the page of a run says of process that it is no boundary, and of the others their names', () => {
  expect(sandboxOn('process')).toBe('process, which is no boundary')
  expect(sandboxOn('docker')).toBe('docker')
})

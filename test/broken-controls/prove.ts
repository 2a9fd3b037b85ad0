import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { patternOf } from '../support/named-tests.ts'
import type { Control } from './controls.ts'

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ status: z.string(), failureMessages: z.array(z.string()).nullish() })),
    }),
  ),
})
/** How the tests of a proof ended: as they should, by an assertion, for some other reason, or not at all. */
export type Ended = { passed: number; refuted: number; broke: string[] }

const house = join(import.meta.dirname, '../..')
const vitest = join(house, 'node_modules/vitest/vitest.mjs')
/** What a test says that saw something else than it should have, and not that it could not be run, or waited in vain. */
const assertion = /^(AssertionError|Error: (Property failed|promise (resolved|rejected) ))/

/** Runs the tests of these proofs in `folder`, and no others. */
export async function prove(folder: string, proofs: readonly Control['proof'][]): Promise<Ended> {
  const told = await mkdtemp(join(tmpdir(), 'overnight-proof-'))
  try {
    const report = join(told, 'report.json')
    const files = [...new Set(proofs.map(({ file }) => file))]
    const titles = [...new Set(proofs.map(({ title }) => patternOf(title)))].join('|')
    const argv = ['run', ...files, '--testNamePattern', titles, '--reporter=json', `--outputFile=${report}`]
    const child = spawn(process.execPath, [vitest, ...argv], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said = (said + chunk).slice(-2000)))
    await once(child, 'close')
    const text = await readFile(report, 'utf8').catch(() => undefined)
    return text === undefined ? { passed: 0, refuted: 0, broke: [said] } : count(Report.parse(JSON.parse(text)))
  } finally {
    await rm(told, { recursive: true, force: true })
  }
}

function count({ testResults }: z.infer<typeof Report>): Ended {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = tests
    .filter(({ status }) => status === 'failed')
    .map(({ failureMessages }) => failureMessages?.[0] ?? '')
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    refuted: failed.filter((message) => assertion.test(message)).length,
    broke: failed.filter((message) => !assertion.test(message)),
  }
}

import { parseArgs } from 'node:util'
import { controls, type Control } from './controls.ts'
import { openCopy, type Copy } from './copy.ts'
import { prove } from './prove.ts'

const usage = `npm run broken-controls                  breaks each control in a copy of the house: the test that is named for it must fail
npm run broken-controls -- --only relay  those whose names hold this word
`
const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' } } })
const chosen = controls.filter(({ name }) => name.includes(values.only ?? ''))
if (values.help || chosen.length === 0) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}

type Verdict = { said: 'caught' | 'not tried' | 'SURVIVED'; why?: string }

async function judge(copy: Copy, control: Control): Promise<Verdict> {
  const sound = await prove(copy.folder, [control.proof])
  if (sound.refuted + sound.broke.length > 0)
    return { said: 'SURVIVED', why: `its test fails without it, too: ${sound.broke[0] ?? 'an assertion'}` }
  // Skipped, because this machine lacks what it needs.
  if (sound.passed === 0) return { said: 'not tried', why: `nothing of ${control.proof.file} can be run here` }
  await using _ = await copy.broken(control)
  const { refuted, broke } = await prove(copy.folder, [control.proof])
  if (refuted > 0) return { said: 'caught' }
  return { said: 'SURVIVED', why: broke[0] ?? `${control.proof.file} › ${control.proof.title} passed` }
}

await using copy = await openCopy()
const survivors: string[] = []
for (const control of chosen) {
  const startedAt = performance.now()
  const { said, why } = await judge(copy, control).catch((error: unknown): Verdict => ({
    said: 'SURVIVED',
    why: String(error),
  }))
  if (said === 'SURVIVED') survivors.push(control.name)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${said.padEnd(10)} ${control.name.padEnd(64)} ${seconds.padStart(5)} s  ${control.proof.file}`)
  if (why !== undefined) console.log(`           ! ${why.split('\n')[0]}`)
}
console.log(`${chosen.length} controls broken on purpose, ${survivors.length} survived`)
process.exitCode = survivors.length === 0 ? 0 : 1

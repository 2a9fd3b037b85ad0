import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openCases } from './cases.ts'
import { compare } from './compare.ts'
import { releases, zoneFilesMissing } from './zone-files.ts'

// npm run oracle -- [--seed N] [--cases N] [--from N] [--state FILE]: random (expression, zone, instant), our next fire beside the one
// that an oracle finds by the written rule on the time zone files of this machine. Ctrl-C and the same line again go on.
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '1000000' },
    from: { type: 'string' },
    state: { type: 'string' },
  },
})
const [seed, cases] = [wholeNumber('seed'), wholeNumber('cases')]
if (zoneFilesMissing !== undefined) fail(`there are no ${zoneFilesMissing}: install tzdata`)
const cache = resolve(import.meta.dirname, '../../../../node_modules/.cache/overnight')
const stateFile = resolve(values.state ?? `${cache}/oracle-${seed}.json`)

/** `next`: the first case that was not looked at yet. */
type State = { next: number; same: number; data: number }
const state: State = values.from === undefined ? await readState() : { next: wholeNumber('from'), same: 0, data: 0 }
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

const { files, node } = releases()
console.log(`seed ${seed}, cases ${state.next} to ${cases}; tz database ${node} in Node, ${files} in the files`)
const caseOf = openCases(seed)
const everyMs = 5000
let toldAt = performance.now()
while (state.next < cases && !stopping.signal.aborted) {
  const one = caseOf(state.next)
  const { verdict, ours, theirs } = compare(one)
  if (verdict === 'different') {
    await writeState()
    const after = new Date(one.after).toISOString()
    fail(
      `case ${one.index}: after ${after}, "${one.pattern.text}" in ${one.zone} is due at ${theirs}, and we say ${ours}\n` +
        `again: npm run oracle -- --seed ${seed} --from ${one.index} --cases ${one.index + 1}`,
    )
  }
  state[verdict]++
  state.next++
  if (performance.now() - toldAt > everyMs) {
    toldAt = performance.now()
    await writeState()
    console.log(lineOf())
    // Signals are heard between turns only.
    await new Promise(setImmediate)
  }
}
await writeState()
console.log(lineOf())

function lineOf(): string {
  const data =
    state.data === 0 ? '' : `, ${state.data} not comparable (the two releases of the tz database differ there)`
  return `${state.next} of ${cases}: 0 differences${data}`
}

async function readState(): Promise<State> {
  const text = await readFile(stateFile, 'utf8').catch(() => undefined)
  return text === undefined ? { next: 0, same: 0, data: 0 } : (JSON.parse(text) as State)
}

async function writeState(): Promise<void> {
  if (values.from !== undefined) return
  await mkdir(dirname(stateFile), { recursive: true })
  await writeFile(`${stateFile}.new`, JSON.stringify(state))
  await rename(`${stateFile}.new`, stateFile)
}

function wholeNumber(name: 'seed' | 'cases' | 'from'): number {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) fail(`--${name} ${values[name]} is not a whole number`)
  return value
}

function fail(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}

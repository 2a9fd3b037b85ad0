import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const house = fileURLToPath(new URL('../..', import.meta.url))
export const sampleDir = join(house, 'infra/demo/sample')

export type ProgramName = 'contents-list' | 'merge-imports' | 'unused-export'
export type Ended = { code: number; headline: string; stdout: string; stderr: string }

/** A folder as the checkout of a run, with the shipped programs run in it as the `command` engine does. Disposing removes it. */
export async function openTree(files: Record<string, string | Buffer>) {
  const place = await mkdtemp(join(tmpdir(), 'overnight shipped ü-'))
  const tree = join(place, 'tree')
  await mkdir(tree)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true })
    await writeFile(join(tree, path), text)
  }
  return {
    tree,
    async run(program: ProgramName, inputs: Record<string, unknown> = {}): Promise<Ended> {
      const inputsFile = join(place, 'inputs.json')
      await writeFile(inputsFile, JSON.stringify(inputs))
      return runNode([join(house, 'routines/programs', `${program}.mjs`)], tree, { OVERNIGHT_INPUTS_FILE: inputsFile })
    },
    read: (path: string) => readFile(join(tree, path), 'utf8'),
    async readAll(): Promise<Record<string, string>> {
      const entries = await readdir(tree, { recursive: true, withFileTypes: true })
      const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      return Object.fromEntries(
        await Promise.all(
          paths.sort().map(async (path) => [relative(tree, path), await readFile(path, 'utf8')] as const),
        ),
      )
    },
    [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }),
  }
}

/** Nothing of this process's environment reaches the program, as in a sandbox. */
export function runNode(argv: string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((settle) => {
    const child = execFile(
      process.execPath,
      argv,
      { cwd, env: { PATH: dirname(process.execPath), ...env } },
      (_, stdout, stderr) => {
        settle({ code: child.exitCode ?? -1, headline: stdout.trimEnd().split('\n').at(-1) ?? '', stdout, stderr })
      },
    )
  })
}

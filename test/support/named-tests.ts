import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const house = resolve(import.meta.dirname, '../..')

/**
 * Is there, in this file or in a suite that it imports, a test, a group or a row of a table that is called so? As it is written:
 * with `%s` where the names of rows come.
 */
export function isTestNamed(file: string, title: string): boolean {
  const path = join(house, file)
  if (!existsSync(path)) return false
  const quoted = [`'${title.replaceAll("'", String.raw`\'`)}'`, `\`${title}\``, JSON.stringify(title)]
  return sourcesOf(path).some((source) => quoted.some((written) => source.includes(written)))
}

/** The file, and the suites and tables beside it or in `contract/` that it is made of. */
function sourcesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8')
  const parts = [...text.matchAll(/from '((?:\.\/|(?:\.\.\/)+contract\/)[\w/-]+\.ts)'/g)]
  return [text, ...parts.flatMap(([, from = '']) => sourcesOf(join(dirname(path), from)))]
}

/** What such a title, or a part of it, is in the names of the tests that run. */
export function patternOf(title: string): string {
  return title
    .split(/%[a-z]|\$\{[^}]*\}|\$\w+/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*')
}

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
  const text = readFileSync(path, 'utf8')
  const suites = [...text.matchAll(/from '(\.[^']+\/contract\/[^']+|\.\/[^']+)'/g)].map(([, from = '']) =>
    readFileSync(join(dirname(path), from), 'utf8'),
  )
  const quoted = [`'${title.replaceAll("'", String.raw`\'`)}'`, `\`${title}\``, JSON.stringify(title)]
  return [text, ...suites].some((source) => quoted.some((written) => source.includes(written)))
}

/** What such a title, or a part of it, is in the names of the tests that run. */
export function patternOf(title: string): string {
  return title
    .split(/%[a-z]|\$\{[^}]*\}|\$\w+/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*')
}

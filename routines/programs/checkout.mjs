// What the programs of this folder share: their inputs, the files of the checkout, and how they end.
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { extname, isAbsolute, join, relative, sep } from 'node:path'

/** The inputs of the run. Started by hand, without a run around it, a program has none. */
function readInputs() {
  const file = process.env.OVERNIGHT_INPUTS_FILE
  return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/**
 * Every file below `scope` (a folder or one file, relative to the checkout) with one of the extensions, sorted, as paths with `/`.
 * Never follows a link, so nothing outside the checkout is read or written. Throws when there is no such place in the checkout.
 */
export function listFiles(scope, extensions, skipped = ['.git', 'node_modules']) {
  const start = existsSync(scope) ? relative(realpathSync('.'), realpathSync(scope)) : '..'
  if (start.split(sep)[0] === '..' || isAbsolute(start)) {
    throw new Error(`scope: there is no ${JSON.stringify(scope)} in the repository`)
  }
  return walk(start, new Set(skipped))
    .filter((path) => extensions.includes(extname(path)))
    .map((path) => path.split(sep).join('/'))
    .sort()
}

function walk(path, skipped) {
  const stat = lstatSync(path || '.')
  if (stat.isFile()) return [path]
  if (!stat.isDirectory()) return []
  return readdirSync(path || '.')
    .filter((name) => !skipped.has(name))
    .flatMap((name) => walk(join(path, name), skipped))
}

/** The text of a file, or undefined when its bytes are not UTF-8: writing those back would change them. */
export function readText(path) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
  } catch {
    return undefined
  }
}

/**
 * Rewrites each file for which `rewrite(text, path)` gives another text; returns their paths. A file that cannot be read as text is left
 * alone and said on stderr.
 */
export function rewriteFiles(paths, rewrite) {
  return paths.filter((path) => {
    const before = readText(path)
    if (before === undefined) {
      console.error(`${path}: not UTF-8, left alone`)
      return false
    }
    const after = rewrite(before, path)
    if (after !== before) writeFileSync(path, after)
    return after !== before
  })
}

/** `README.md`, or `3 files`: what a headline says was changed. */
export function nameFiles(paths) {
  const [first = ''] = paths
  return paths.length === 1 && first.length <= 60 ? first : `${paths.length} file${paths.length === 1 ? '' : 's'}`
}

/** Runs a program. The sentence it returns is its last line, which is the title of the pull request. */
export function main(program) {
  try {
    console.log(program(readInputs()))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}

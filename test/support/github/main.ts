import { parseArgs } from 'node:util'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openGitHub } from './stand-in.ts'

/**
 * The stand-in as a process of its own: `node test/support/github/main.ts [--folder f] [--repository owner/name]…` prints one
 * JSON line with what a service needs, and ends with SIGTERM. `POST <url>/stand-in/<act>` with its arguments as a JSON array acts.
 */
const { values } = parseArgs({
  options: { folder: { type: 'string' }, repository: { type: 'string', multiple: true } },
})
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'overnight-github-'))
const names = values.repository ?? ['acme/shop']
const github = await openGitHub({
  folder,
  repositories: Object.fromEntries(names.map((name) => [name, { 'README.md': `# ${name}\n` }])),
})
const { url, tokens, app, journal, repositories } = github
const paths = Object.fromEntries(names.map((name) => [name, repositories.pathOf(name)]))
console.log(JSON.stringify({ url, host: new URL(url).host, tokens, app, journal: journal.file, repositories: paths }))
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void github[Symbol.asyncDispose]().then(() => {
      if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
      process.exit(0)
    })
  })
}

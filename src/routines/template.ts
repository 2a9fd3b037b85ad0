export type NewRoutineOptions = {
  /** Where an editor finds the JSON Schema: an address, or a path relative to the file. */
  schema: string
  /** The clone to work on, relative to the file. Default: the folder above, where `routines/` usually lives. */
  repository?: string
}

/** The text of a new routine file. It is valid, does something small and real, and shows the keys that one changes first. */
export function newRoutine({ schema, repository = '..' }: NewRoutineOptions): string {
  return `---
# yaml-language-server: $schema=${schema}
description: Every Markdown file ends with a line end
on:
  schedule: { cron: "0 2 * * 1-5" }     # minute hour day month weekday; add timezone: Europe/Berlin
repository: ${JSON.stringify(repository)}
engine:
  name: command
  command:                              # any program; it gets the prompt on stdin
    - node
    - --eval
    - |
      const fs = require('node:fs')
      const files = fs.globSync('**/*.md', { exclude: ['**/node_modules/**'] })
      const open = files.filter((file) => /[^\\n]$/.test(fs.readFileSync(file, 'utf8')))
      for (const file of open) fs.appendFileSync(file, '\\n')
      console.log(\`Ended \${open.length} Markdown files with a line end\`)
limits: { minutes: 10 }
output: { pull_request: { draft: true, labels: [routine] } }
---
End every Markdown file with a line end.
`
}

// Tells what it came by in every way that it has: words, complaints, file names, files, commits, branches.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const [loot = '', kind = ''] = process.argv.slice(2)
const { secrets, files } = JSON.parse(readFileSync(loot, 'utf8'))
const git = (...argv) => execFileSync('git', argv, { stdio: 'pipe' })

/** In pieces, as a slow pipe hands them on. */
function say(stream, text) {
  for (let at = 0; at < text.length; at += 7) stream.write(text.slice(at, at + 7))
  stream.write('\n')
}
for (const text of Object.values(files)) {
  say(process.stdout, text)
  say(process.stderr, text)
}
const [first] = secrets
git('commit', '--quiet', '--allow-empty', '-m', `I found ${first}\n\n${secrets.join('\n')}`)
git('branch', `found-${Buffer.from(first).toString('hex')}`)
writeFileSync('note.md', 'Nothing is told in here.\n')
if (kind === 'writes') for (const [name, text] of Object.entries(files)) writeFileSync(name.replaceAll('/', '_'), text)
if (kind === 'fails') {
  console.error(`I give up: ${first}`)
  process.exitCode = 3
} else console.log(`The key was ${first} all along`)

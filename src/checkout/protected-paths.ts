import { posix } from 'node:path'
import { names, type PlaceRule, steeringAlone, within } from './protected-names.ts'

/** Names that begin with `.git` and steer nothing. `.github` has its own rule. */
const harmlessGitNames = new Set([
  '.gitignore',
  '.gitkeep',
  '.github',
  '.gitea',
  '.gitlab',
  '.gitlab-ci.yml',
  '.gitlab-ci.yaml',
])

/** Which protected places a folded path lies in: the path itself or any folder above it. */
export function placesOf(folded: string): Set<PlaceRule> {
  const parts = folded.split('/')
  const found = new Set<PlaceRule>()
  for (const [rule, protectedNames] of Object.entries(names) as [PlaceRule, ReadonlySet<string>][]) {
    if (parts.some((part) => protectedNames.has(part))) found.add(rule)
  }
  if (parts.some((part) => part.startsWith('.git') && !harmlessGitNames.has(part))) found.add('hooks')
  parts.forEach((part, at) => {
    if (!Object.hasOwn(within, part)) return
    for (const [rule, below] of Object.entries(within[part]!) as [PlaceRule, readonly string[]][]) {
      if (below.includes(parts[at + 1] ?? '')) found.add(rule)
    }
  })
  return found
}

/** Of these an agent, or what it starts without being asked, obeys what they say. */
const steering = ['agent_settings', 'hooks', 'tools'] as const satisfies readonly PlaceRule[]

/** Would an agent that starts in a checkout with this path be steered by it? */
export function steersAgents(path: string): boolean {
  const folded = foldPath(path)
  const places = placesOf(folded)
  return steering.some((rule) => places.has(rule)) || steeringAlone.has(posix.basename(folded))
}

/**
 * The path as the most forgiving file system or tool would read it: case, width and accents folded, characters nobody sees removed,
 * trailing dots and spaces and streams of NTFS cut, `.` and `..` resolved, backslashes as slashes.
 */
export function foldPath(path: string): string {
  const parts: string[] = []
  for (const raw of path.normalize('NFKD').replaceAll('\\', '/').split('/')) {
    const part = foldPart(raw)
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function foldPart(part: string): string {
  const plain = part
    .replaceAll(/\p{M}|\p{C}|\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
  if (plain === '.' || plain === '..') return plain
  return plain.replace(/:.*$/, '').replace(/[. ]+$/, '')
}

/** Paths that name another file elsewhere: `..`, `.git` in any spelling, Windows short names, bytes that are no text, unseen characters, endless depth. */
export function isStrangePath(path: string): boolean {
  if (/[\p{C}\p{Default_Ignorable_Code_Point}\u{FFFD}\\:]/u.test(path) || path.startsWith('/')) return true
  const parts = path.split('/')
  if (parts.length > 64 || path.length > 1024) return true
  return parts.some(
    (part) =>
      part === '' ||
      part === '.' ||
      part === '..' ||
      /[. ]$/.test(part) ||
      foldPart(part) === '.git' ||
      isShortName(part),
  )
}

/** `CLAUDE~1.MD` is how Windows may also call `CLAUDE.md…`. */
function isShortName(part: string): boolean {
  return /^[^.~]{1,7}~\d{1,2}(\.[^.]{0,3})?$/.test(part) || /^\.?git~\d/i.test(part)
}

import { array, assert, constantFrom, property, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  foldersOf,
  indexLines,
  leadsFrom,
  toPutBack,
  toReplace,
  wayOf,
} from '../../src/checkout/agent-configuration.ts'
import type { RawPath } from '../../src/checkout/changes.ts'
import { steersAgents } from '../../src/checkout/protected-paths.ts'

/** Path → content. No path of it is a folder of another. */
type Tree = ReadonlyMap<string, string>
const name = constantFrom('a', 'b', 'CLAUDE.md', '.claude')
const path = array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const tree = array(tuple(path, constantFrom('1', '2', '3')), { maxLength: 8 }).map((entries): Tree => {
  const made = new Map<string, string>()
  for (const [at, content] of entries) {
    const isBelow = [...made.keys()].some((one) => one.startsWith(`${at}/`))
    if (!isBelow && !foldersOf(at).some((folder) => made.has(folder))) made.set(at, content)
  }
  return made
})

function between(from: Tree, to: Tree): RawPath[] {
  const all = [...new Set([...from.keys(), ...to.keys()])].filter((at) => from.get(at) !== to.get(at))
  const side = (content: string | undefined) => ({
    mode: content === undefined ? '000000' : '100644',
    id: content ?? '0',
  })
  return all.map((at) => {
    const [old, now] = [side(from.get(at)), side(to.get(at))]
    return { path: at, letter: '', oldMode: old.mode, oldId: old.id, newMode: now.mode, newId: now.id }
  })
}

/** As git's index takes lines: a path replaces nothing but itself, and one that is in another's way is an error. */
function withLines(from: Tree, lines: Buffer): Tree {
  const made = new Map(from)
  for (const line of lines.toString('latin1').split('\0').filter(Boolean)) {
    const [, mode = '', id = '', at = ''] = /^(\d+) (\w+)\t(.*)$/.exec(line)!
    if (mode === '0') made.delete(at)
    else {
      const inTheWay = [...made.keys()].find((one) => one.startsWith(`${at}/`) || at.startsWith(`${one}/`))
      if (inTheWay !== undefined) throw new Error(`${inTheWay} is in the way of ${at}`)
      made.set(at, id)
    }
  }
  return made
}

const steering = (differing: readonly RawPath[]) =>
  new Set(differing.map((one) => one.path).filter((at) => steersAgents(at)))
const replaceIn = (head: Tree, base: Tree): Tree => {
  const differing = between(base, head)
  return withLines(head, indexLines(toReplace(differing, steering(differing)), 'old'))
}

describe('a tree whose agent configuration is another’s', () => {
  test('has all of it and no other, and everything else but what stood in its way', () => {
    assert(
      property(tree, tree, (head, base) => {
        const replaced = replaceIn(head, base)
        const configured = (one: Tree) => [...one].filter(([at]) => steersAgents(at)).toSorted()
        expect(configured(replaced)).toEqual(configured(base))
        const needed = new Set(configured(base).flatMap(([at]) => foldersOf(at)))
        const plain = (one: Tree) => [...one].filter(([at]) => !steersAgents(at) && !needed.has(at)).toSorted()
        expect(plain(replaced)).toEqual(plain(head))
      }),
      { numRuns: 2000 },
    )
  })

  test('is what it was again where nobody touched it, and what somebody did to it stays', () => {
    assert(
      property(tree, tree, tree, (head, base, after) => {
        const replaced = replaceIn(head, base)
        const putBack = (left: Tree) =>
          withLines(left, indexLines(toPutBack(between(replaced, head), between(replaced, left)), 'new'))
        expect([...putBack(replaced)].toSorted()).toEqual([...head].toSorted())
        const proposed = putBack(after)
        for (const { path: at } of between(replaced, after)) expect(proposed.get(at)).toBe(after.get(at))
      }),
      { numRuns: 2000 },
    )
  })
})

test.each([
  ['AGENTS.md', { 'AGENTS.md': 'docs/a.md' }, ['AGENTS.md', 'docs/a.md']],
  ['.claude', { '.claude': './x/../y/' }, ['.claude', 'y']],
  [
    'p/CLAUDE.md',
    { 'p/CLAUDE.md': '../d/c.md', d: 'e', 'e/c.md': 'f.md' },
    ['p/CLAUDE.md', 'd/c.md', 'd', 'e/c.md', 'e/f.md'],
  ],
  ['AGENTS.md', { 'AGENTS.md': '/etc/passwd' }, ['AGENTS.md']],
  ['AGENTS.md', { 'AGENTS.md': '../outside' }, ['AGENTS.md']],
  ['AGENTS.md', { 'AGENTS.md': 'AGENTS.md' }, ['AGENTS.md']],
])('the way of the link %s over %j', (link, links, way) => {
  expect([...new Set(wayOf(link, new Map(Object.entries(links))))]).toEqual(way)
})

test.each([
  [
    'links below where one leads',
    {
      '.claude': 'tools/claude',
      'tools/claude/rules': '../../docs/rules',
      'docs/rules/x.md': '../x.md',
      other: 'docs',
    },
    ['.claude', 'tools/claude', 'tools/claude/rules', 'docs/rules', 'docs/rules/x.md', 'docs/x.md'],
  ],
  ['circles', { '.claude': 'a', 'a/b': '../c', 'c/d': '../a' }, ['.claude', 'a', 'a/b', 'c', 'c/d']],
  ['a name that only begins alike', { '.claude': 'tools', 'tools-of-others': 'x' }, ['.claude', 'tools']],
  ['no link that steers', { a: 'b' }, []],
])('from links that steer, over %s', (_what, links, leads) => {
  const said = new Map(Object.entries(links))
  const starts = Object.keys(links).filter((path) => steersAgents(path))
  expect([...leadsFrom(starts, said)].toSorted()).toEqual(leads.toSorted())
})

test('a thousand links, each behind the one before, are all found', () => {
  const links = Array.from({ length: 1000 }, (_one, at): [string, string] => [`${at}/link`, `../${at + 1}`])
  const leads = leadsFrom(['.claude'], new Map([['.claude', '0'], ...links]))
  expect(leads.has('1000')).toBe(true)
})

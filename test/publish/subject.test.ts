import { assert, constantFrom, integer, property, record, uniqueArray } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pull, PullState } from '../../src/forges/forge.ts'
import { chooseDestination, findOwnPull, runOfMarker } from '../../src/publish/subject.ts'

let count = 0
function pull(branch: string, state: PullState, body = ''): Pull {
  count += 1
  const id = `${count}`
  return {
    id,
    repository: 'r',
    number: count,
    url: '',
    branch,
    base: 'main',
    head: 'h',
    title: '',
    body,
    state,
    draft: true,
  }
}
const prefix = 'overnight/tidy/main'

describe('where a result goes', () => {
  const families: [string, [string, PullState][], string, string | null][] = [
    ['the first', [], prefix, null],
    ['one is open', [['main', 'open']], prefix, 'main'],
    ['merged', [['main', 'merged']], `${prefix}-2`, null],
    [
      'closed twice',
      [
        ['main', 'closed'],
        ['main-2', 'closed'],
      ],
      `${prefix}-3`,
      null,
    ],
    [
      'the second is open',
      [
        ['main', 'merged'],
        ['main-2', 'open'],
      ],
      `${prefix}-2`,
      'main-2',
    ],
    [
      'an older one is still open',
      [
        ['main', 'open'],
        ['main-2', 'closed'],
      ],
      prefix,
      'main',
    ],
    [
      'the newest open one wins',
      [
        ['main', 'open'],
        ['main-3', 'open'],
      ],
      `${prefix}-3`,
      'main-3',
    ],
    ['there are gaps', [['main-9', 'merged']], `${prefix}-10`, null],
    [
      'others have similar names',
      [
        ['main-two', 'open'],
        ['mainx', 'open'],
        ['main-02', 'open'],
      ],
      prefix,
      null,
    ],
  ]
  test.each(families.map(([name, family, branch, open]) => ({ name, family, branch, open })))(
    '$name',
    ({ family, branch, open }) => {
      const pulls = family.map(([subject, state]) => pull(`overnight/tidy/${subject}`, state))
      const found = chooseDestination('tidy', 'main', pulls)
      expect(found.branch).toBe(branch)
      expect(found.open?.branch ?? null).toBe(open === null ? null : `overnight/tidy/${open}`)
      expect(`overnight/tidy/${found.subject}`).toBe(branch)
    },
  )

  test('never a branch whose pull request is merged or closed; order means nothing', () => {
    const member = record({
      ordinal: integer({ min: 1, max: 6 }),
      state: constantFrom<PullState>('open', 'merged', 'closed'),
    })
    assert(
      property(uniqueArray(member, { selector: ({ ordinal }) => ordinal }), (members) => {
        const pulls = members.map(({ ordinal, state }) => pull(ordinal === 1 ? prefix : `${prefix}-${ordinal}`, state))
        const found = chooseDestination('tidy', 'main', pulls)
        const there = pulls.find(({ branch }) => branch === found.branch)
        expect(there?.state ?? 'open').toBe('open')
        expect(chooseDestination('tidy', 'main', pulls.toReversed()).branch).toBe(found.branch)
      }),
    )
  })
})

test('a run finds its own pull request by the marker at the end', () => {
  const body = 'text\n<!-- overnight: tidy/main run-9 -->\nmore\n\n<!-- overnight: tidy/main run-1 -->'
  expect(runOfMarker(body)).toBe('run-1')
  expect(runOfMarker('no marker <!-- overnight: x -->')).toBeUndefined()
  const mine = pull(prefix, 'merged', body)
  expect(findOwnPull([pull(prefix, 'open'), mine], 'run-1')).toBe(mine)
  expect(findOwnPull([mine], 'run-9')).toBeUndefined()
})

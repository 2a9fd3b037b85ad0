import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notesOf } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'
import { straight, type Attempt, type Tried } from './attempts.ts'
import type { House } from './house.ts'
import { names, type Names } from './names.ts'
import { hosts, requests } from './relay-attempts.ts'
import { tokensOf } from './tokens.ts'

/** What the service may reach beside the internet; `allowed.example` alone is in the network of the runs. */
export const nearby = ['allowed.example', 'evil.example']

type Ground = { house: House; sites: Names }

async function tries(
  house: House,
  sandbox: string,
  { attempts, words = {}, name }: { attempts: readonly Attempt[]; words?: Record<string, string>; name: string },
) {
  const { crew, canaries } = house
  const told = JSON.stringify({ attempts, words: { canary: canaries.word, ...words } })
  const more = { sandbox, network: ['allowed.example'] }
  const run = await house.start(`${name}-${sandbox}`, house.tells('reach.mjs', [told], { more }))
  const ended = await crew.settled(run)
  const said = await crew.said(run)
  expect({ state: ended.state, said }).toMatchObject({ state: 'unchanged' })
  await crew.nothingLeft(run)
  return {
    admitted: ended.notes.join('\n'),
    outcomes: JSON.parse(said) as Record<string, string>,
    notes: await notesOf(crew, run),
  }
}

/** One run tries all of a table, and a test looks at each. */
export function reachesNothing(
  open: () => Ground,
  { sandbox, doorsOf = () => [] }: { sandbox: string; doorsOf?: () => string[] },
): void {
  describe.skipIf(names.skip)(`a program that tries every way out${names.note}`, () => {
    const attempt = ({ tried }: Tried): Attempt => tried
    const outcome: Record<string, string> = {}
    const notes: string[] = []
    let admissions = ''
    let neighbour: string
    beforeAll(async () => {
      const { house } = open()
      const { crew, doors, repositories } = house
      const prompt = 'Wait.'
      neighbour = await house.start(`waits-${sandbox}`, {
        repository: repositories[1],
        prompt,
        sh: 'sleep 600',
        more: { sandbox, network: ['allowed.example'] },
      })
      await crew.reaches(neighbour, 'working')
      const [another = ''] = await tokensOf(neighbour)
      const basic = Buffer.from(`run:${another}`).toString('base64')
      const words = { another, anotherBasic: basic, hidden: git(repositories[0], 'rev-parse', 'refs/private/hidden') }
      const address = crew.service.url.replace(/^http:\/\/|\/$/g, '')
      const near = [...doors.all, ...doorsOf(), address].map((door): Attempt => ({
        title: door,
        how: 'say',
        to: door,
        bytes: 'GET /{canary} HTTP/1.0\r\n\r\n',
      }))
      const all = await Promise.all([
        tries(house, sandbox, { name: 'straight', attempts: [...straight.map(attempt), ...near] }),
        tries(house, sandbox, { name: 'names', attempts: hosts.map(attempt) }),
        tries(house, sandbox, { name: 'requests', attempts: requests.map(attempt), words }),
      ])
      for (const one of all) {
        Object.assign(outcome, one.outcomes)
        notes.push(...one.notes)
        admissions = one.admitted
      }
    }, 120_000)
    afterAll(async () => {
      const { crew } = open().house
      await crew.service.post(`/v1/runs/${neighbour}/cancel`)
      await crew.settled(neighbour)
      await crew.nothingLeft(neighbour)
    })

    test.each([...straight, ...hosts, ...requests])('$tried.title', ({ tried, answer, told, admitted }) => {
      const isAdmitted = admitted !== undefined && admissions.includes(admitted)
      expect(outcome[tried.title]).toMatch(isAdmitted ? /^open$/ : answer)
      const lines = told === undefined ? notes : notes.filter((note) => note.startsWith(`network: refused ${told}`))
      expect(lines).not.toEqual([])
    })

    test('no door of this machine opens, and nothing comes to one', () => {
      const { doors, crew } = open().house
      const ways = [...doors.all, ...doorsOf(), crew.service.url.replace(/^http:\/\/|\/$/g, '')]
      for (const door of ways)
        expect({ door, outcome: outcome[door] }).toEqual({
          door,
          outcome: expect.stringMatching(/^(ECONNREFUSED|ENOENT)$/) as string,
        })
      expect(doors.heard()).toBe('')
    })

    test('the host of the routine heard what it was asked over TLS, and nothing else; the other one heard nothing', () => {
      const { asked, bytes } = open().sites.site('allowed.example')
      expect(asked).toBe('GET /in-order HTTP/1.1\r\n\r\n')
      expect(bytes.filter((length) => length > 0)).toHaveLength(1)
      expect(bytes.length).toBeGreaterThan(3)
      expect(open().sites.site('evil.example').bytes).toEqual([])
      expect(notes).toContainEqual(expect.stringMatching(/^network: allowed\.example, one connection/))
    })
  })
}

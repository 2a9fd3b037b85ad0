import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until, type Settled } from '../support/crew.ts'
import { backwards } from './canaries.ts'
import type { House } from './house.ts'
import { tokensOf } from './tokens.ts'

export type Searched = {
  names: number
  bytes: number
  processes: number
  memoryBytes: number
  connectors: number
  doors: string[]
  /** `number place`. */
  found: string[]
}
type Search = { words: string[]; roots: string[]; processes: 'all' | number[]; doors: string[] }
type Searcher = { repository?: string; more: Record<string, unknown> }

/** What the program is told. */
export function searchTask({ canaries, doors, since }: House, told: Partial<Search>): string {
  const task = { roots: ['/'], processes: 'all', doors: doors.all, ...told, since }
  return JSON.stringify({ ...task, words: (told.words ?? [canaries.word]).map(backwards) })
}

/** A run whose program searches, and what it says. */
export async function search(house: House, name: string, { agent, ...told }: Partial<Search> & { agent: Searcher }) {
  const { crew } = house
  const run = await house.start(name, house.tells('search.mjs', [searchTask(house, told)], agent))
  const ended = await crew.settled(run)
  const said = await crew.said(run)
  expect({ state: ended.state, said }).toMatchObject({ state: 'unchanged' })
  return { run, ended, searched: JSON.parse(said.slice(said.indexOf('{'))) as Searched }
}

/** A neighbour at work, and one that was there before: both leave a word wherever they can. */
async function openNeighbours(house: House, more: Record<string, unknown>) {
  const { crew, canaries } = house
  const left = `left${randomBytes(6).toString('hex')}`
  const prompt = `Use ${canaries.plant("another run's prompt")}.`
  const agent = (stays: boolean) =>
    house.tells('leave.mjs', [backwards(left), ...(stays ? ['and stays'] : [])], { more, prompt })
  const [neighbour, before] = await Promise.all([
    house.start(`neighbour-${String(more['sandbox'])}`, agent(true)),
    house.start(`before-${String(more['sandbox'])}`, agent(false)),
  ])
  await until(60, async () =>
    (await crew.said(neighbour)).includes('left in') ? [] : ['a neighbour that leaves nothing'],
  )
  const ended = await crew.settled(before)
  return { left, neighbour, before: ended, said: await crew.said(before) }
}

/** `doorsOf`: more that somebody may knock at. */
export function searchesAll(
  open: () => House,
  { sandbox, doorsOf = () => [] }: { sandbox: string; doorsOf?: () => string[] },
): void {
  describe('a program that searches all that it can read', () => {
    const more = { sandbox, network: ['allowed.example'], connectors: ['desk'], allow_trifecta: true }
    let neighbours: Awaited<ReturnType<typeof openNeighbours>>
    let tokens: string[]
    let [same, other]: { ended: Settled; run: string; searched: Searched }[] = []
    beforeAll(async () => {
      const house = open()
      const { crew, doors, repositories } = house
      neighbours = await openNeighbours(house, more)
      tokens = await tokensOf(neighbours.neighbour)
      const words = [house.canaries.word, neighbours.left, ...tokens]
      const told = {
        words,
        doors: [...doors.all, ...doorsOf(), crew.service.url.replace('http://', '').replace(/\/$/, '')],
      }
      ;[same, other] = await Promise.all([
        search(house, `before-${sandbox}`, { ...told, agent: { more } }),
        search(house, `searches-${sandbox}`, { ...told, agent: { more, repository: repositories[1] } }),
      ])
    }, 120_000)
    afterAll(async () => {
      const { crew } = open()
      await crew.service.post(`/v1/runs/${neighbours.neighbour}/cancel`)
      await crew.settled(neighbours.neighbour)
      for (const run of [neighbours.neighbour, neighbours.before.run, same!.run, other!.run])
        await crew.nothingLeft(run)
    })

    test('finds what lies open in its repository, so it would find more', () => {
      for (const { searched } of [same!, other!]) {
        const { found, ...seen } = searched
        expect(seen.processes).toBeGreaterThan(1)
        expect(seen.memoryBytes).toBeGreaterThan(1_000_000)
        expect(seen.names).toBeGreaterThan(1000)
        expect(found.filter((one) => one.endsWith('/bait.txt'))).toHaveLength(1)
        expect(found.filter((one) => / git .*\.git$/.test(one))).toHaveLength(1)
      }
    })

    test('finds none of the planted secrets, and none of what runs beside it or ran before it left', () => {
      const bait = open().bait.slice(open().canaries.word.length).slice(0, 2)
      expect(neighbours.said).toMatch(/left in \d+ places/)
      expect(Number(/left in (\d+)/.exec(neighbours.said)?.[1])).toBeGreaterThan(4)
      expect(tokens).toHaveLength(1)
      for (const { searched } of [same!, other!]) {
        expect(searched.found.filter((one) => !one.startsWith(`${bait} `))).toEqual([])
      }
    })

    test('hears from its connector, though that tells what it was called with, no credential', () => {
      for (const { searched } of [same!, other!]) expect(searched.connectors).toBe(3)
      const { calls, seen } = open().desk
      expect(calls).toEqual(['search', 'search'])
      expect(seen.map(({ headers }) => headers.authorization ?? '').filter((one) => one.includes('cnry'))).not.toEqual(
        [],
      )
    })

    test('opens no door but its own', () => {
      const { doors } = open()
      for (const { run, searched } of [same!, other!])
        expect(searched.doors.filter((door) => !door.includes(run))).toEqual([])
      expect(doors.heard()).toBe('')
    })
  })
}

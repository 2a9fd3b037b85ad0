import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { search, searchTask, type Searched } from './credentials.ts'
import { openHouse, type House } from './house.ts'

// What the same program finds where nothing confines it: a search that never found anything would prove nothing.
describe('a program that searches, without walls', () => {
  let house: House
  beforeAll(async () => {
    house = await openHouse()
  })
  afterAll(() => house[Symbol.asyncDispose]())

  const where = () => ({ roots: [house.crew.place.folder, ...house.strays], processes: [house.crew.service.pid] })
  const unfound = ({ found }: Searched) => {
    const numbers = new Set(found.map((one) => one.split(' ')[0]))
    return house.canaries.places().filter((_, index) => !numbers.has(String(index).padStart(2, '0')))
  }

  test('finds every planted secret when the operator starts it: nothing is planted where it does not look', async () => {
    const argv = [join(import.meta.dirname, 'agent/search.mjs'), searchTask(house, where())]
    const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: house.repositories[0] })
    const searched = JSON.parse(stdout) as Searched
    expect(unfound(searched)).toEqual([])
    expect(searched.doors).toEqual(expect.arrayContaining(house.doors.all))
  })

  test('finds all that lies in files in a run with sandbox: process, which is no boundary', async () => {
    const { searched, ended } = await search(house, 'searches', { ...where(), agent: { more: { sandbox: 'process' } } })
    expect(unfound(searched).filter((place) => !/variable|stored/.test(place))).toEqual([])
    expect(ended.notes.join()).toContain('no boundary')
  })
})

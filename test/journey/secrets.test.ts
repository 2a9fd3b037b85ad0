import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, type Crew } from '../support/crew.ts'

const value = 'kx-Zq7Lw9mT4vR2pY8'
const base64 = Buffer.from(`user:${value}`).toString('base64')

describe('a secret that an agent came by', () => {
  let crew: Crew
  beforeAll(async () => {
    crew = await openCrew({ OVERNIGHT_SECRET_DEPLOY: value })
    writeFileSync(join(crew.place.folder, 'loot'), value)
  })
  afterAll(() => crew[Symbol.asyncDispose]())
  /** As a word of a shell. */
  const loot = () => `'${join(crew.place.folder, 'loot')}'`

  test('is in no transcript, title, message or log, though it is told in pieces', async () => {
    const sh = `head -c 7 ${loot()}; tail -c +8 ${loot()}; echo; printf "user:%s" $(cat ${loot()}) | base64 -w 20
      echo "The key was $(cat ${loot()}) all along"
      echo "key: $(cat ${loot()})" > config.yml`
    const ended = await crew.run('teller', { sh })
    const said = await crew.said(ended.run)
    expect(said).toContain('[secret DEPLOY]\n')
    expect(said).toContain('The key was [secret DEPLOY] all along')
    expect(JSON.stringify(ended)).not.toContain(value)
    expect(ended).toMatchObject({ state: 'needs_approval', findings: [{ rule: 'secret', path: 'config.yml' }] })
    expect(await crew.diff(ended.run)).toContain('+key: [secret DEPLOY]\n')
    const failed = await crew.run('failing', { sh: `cat ${loot()} >&2; exit 3` })
    expect(failed.message).toContain('saying “[secret DEPLOY]”')
    for (const hidden of [value, base64.slice(8, -4)]) expect(filesWith(crew.place.data, hidden)).toEqual([])
    expect(crew.service.log()).not.toContain(value)
  })
})

/** Files that hold a text, in which it was not put together from several pages. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name)
    return statSync(path).isFile() && readFileSync(path).includes(text)
  })
}

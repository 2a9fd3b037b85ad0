import { readFileSync } from 'node:fs'
import { createServer, request as ask, type IncomingHttpHeaders } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { openModel, realKey, use } from '../support/claude/model.ts'
import { claude } from '../support/claude/program.ts'
import { notesOf } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'
import type { House } from './house.ts'
import { askedOfModel } from './model-attempts.ts'

type Heard = { method: string; path: string; headers: IncomingHttpHeaders; body: string }
/** A model behind a scribe: everything that comes for it is kept as it came. */
export type Provider = AsyncDisposable & { url: string; heard: Heard[]; env: Record<string, string> }

const report = 'outcomes.json'
const program = 'reach.mjs'
const argument = 'model-attempts.json'

/** It has an agent try everything that is told of in its repository. */
export async function openProvider(): Promise<Provider> {
  const model = await openModel({
    quiet: () => ({ content: 'Yes.' }),
    tries: ({ step }) =>
      step === 0
        ? use('Bash', { command: `node ${program} "$(cat ${argument})" > ${report}` })
        : { content: 'Tried all that there is to try' },
  })
  const heard: Heard[] = []
  const scribe = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request
      heard.push({ method, path: url, headers, body })
      const sent = ask(new URL(url, model.url), { method, headers: { ...headers, 'x-api-key': realKey } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      sent.on('error', () => response.destroy())
      sent.end(body)
    })
  }).listen(0, '127.0.0.1')
  await once(scribe, 'listening')
  const url = `http://127.0.0.1:${(scribe.address() as AddressInfo).port}`
  return {
    url,
    heard,
    env: { PATH: `${claude.folder}:${process.env['PATH'] ?? ''}`, ANTHROPIC_BASE_URL: url },
    async [Symbol.asyncDispose]() {
      scribe.close()
      scribe.closeAllConnections()
      await model[Symbol.asyncDispose]()
    },
  }
}

/** The real Claude Code does what its model tells it: to send to the model whatever else could be done there. */
export function asksModelAlone(open: () => { house: House; provider: Provider }, sandbox: string): void {
  describe.skipIf(claude.skip)(`an agent that asks more of its model than to answer${claude.note}`, () => {
    let outcome: Record<string, string> = {}
    let notes: string[] = []
    beforeAll(async () => {
      const { crew, start } = open().house
      const attempts = askedOfModel.map(({ tried }) => tried)
      const name = `asks-${sandbox}`
      const repository = crew.repository(name, {
        [program]: readFileSync(join(import.meta.dirname, 'agent', program), 'utf8'),
        [argument]: JSON.stringify({ attempts, words: {} }),
      })
      const run = await start(name, {
        repository,
        prompt: 'SCENARIO:tries please',
        more: { sandbox, engine: 'claude' },
      })
      expect(await crew.settled(run)).toMatchObject({ state: 'published' })
      outcome = JSON.parse(git(repository, 'show', `overnight/${name}/main:${report}`)) as Record<string, string>
      notes = await notesOf(crew, run)
      await crew.nothingLeft(run)
    }, 120_000)

    test.each(askedOfModel)('$tried.title', ({ tried, answer, told }) => {
      expect(outcome[tried.title]).toMatch(answer)
      const lines = told === undefined ? notes : notes.filter((note) => note.startsWith(`network: refused ${told}`))
      expect(lines).not.toEqual([])
    })

    test('nothing but questions comes to the model, with the key of the service and no other credential', () => {
      const { provider } = open()
      expect(provider.heard.length).toBeGreaterThan(3)
      for (const { method, path, headers, body } of provider.heard) {
        expect({ method, path }).toEqual({
          method: 'POST',
          path: expect.stringMatching(/^\/v1\/messages(\/count_tokens)?(\?[\w=&]*)?$/) as string,
        })
        expect(headers['x-api-key']).toContain(open().house.canaries.word)
        expect(Object.keys(headers).filter((name) => /cookie|authorization|forwarded|via|proxy/.test(name))).toEqual([])
        expect(JSON.parse(body)).toHaveProperty('messages')
        expect(JSON.stringify(headers)).not.toContain('attacker')
      }
    })
  })
}

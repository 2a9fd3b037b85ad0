import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlace } from '../support/place.ts'
import { serverEvents, type ServerEvent } from '../support/server-events.ts'

/** Says ten lines, each when its file appears, so that the test decides when something happens. */
const speaker = `
const fs = require('fs')
const gates = process.argv[1]
let line = 0
const timer = setInterval(() => {
  if (line < 10 && fs.existsSync(gates + line)) console.log('line ' + line++)
  if (line === 10) { clearInterval(timer); fs.writeFileSync('note.md', 'ten') }
}, 20)`

const sentence = ({ event, data }: ServerEvent) => {
  const { content, data: facts } = data as { content?: { text: string }; data?: { state?: string } }
  return event === 'output' ? content!.text.trim() : `${event} ${facts?.state ?? ''}`
}

test('a run is followed while it works; a reader who was cut off twice has read each event once', async () => {
  using place = await openPlace()
  const gates = join(place.folder, 'gate-')
  const open = (...lines: number[]) => {
    for (const line of lines) writeFileSync(`${gates}${line}`, '')
  }
  place.routine('speaker', { program: speaker, args: [gates] })
  await using service = await place.start()
  const { run } = await service.post<{ run: string }>('/v1/routines/speaker/fire')
  const seen: ServerEvent[] = []

  /** Reads on from the last id until `line` was said, then drops the connection. */
  async function follow(until: string | undefined): Promise<void> {
    const cut = new AbortController()
    const last = seen.at(-1)?.id
    const answer = await service.fetch(`/v1/runs/${run}/events`, {
      signal: cut.signal,
      ...(last === undefined ? {} : { headers: { 'last-event-id': last } }),
    })
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
    for await (const event of serverEvents(answer)) {
      seen.push(event)
      if (until !== undefined && sentence(event).split('\n').includes(until)) break
    }
    cut.abort()
  }

  open(0)
  await follow('line 0')
  expect((await service.get<{ state: string }>(`/v1/runs/${run}`)).state).toBe('working')

  // What is said while nobody listens waits; the reader is cut off in the middle of it.
  open(1, 2, 3, 4, 5)
  await follow('line 2')
  const rest = follow(undefined)
  open(6, 7, 8, 9)
  await rest

  const whole: ServerEvent[] = []
  for await (const event of serverEvents(await service.fetch(`/v1/runs/${run}/events?follow=no`))) whole.push(event)
  const ids = seen.map((event) => event.id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(seen.map(sentence).sort()).toEqual(whole.map(sentence).sort())
  const said = seen.map(sentence).filter((text) => text.startsWith('line'))
  expect(said.join('\n')).toBe(Array.from({ length: 10 }, (_, line) => `line ${line}`).join('\n'))
  expect(seen.map(sentence)).toContain('state published')

  // Whoever has read everything is told nothing more, and the stream ends at once.
  const after = []
  const again = await service.fetch(`/v1/runs/${run}/events`, { headers: { 'last-event-id': ids.at(-1)! } })
  for await (const event of serverEvents(again)) after.push(event)
  expect(after).toEqual([])
})

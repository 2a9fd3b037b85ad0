import { Hono, type MiddlewareHandler } from 'hono'
import { html } from 'hono/html'
import type { Clock } from '../../ui/moment.ts'
import { storyItem } from '../../ui/story.ts'
import { storyItemOf, type StoryItem, type ToolLine } from '../../ui/told.ts'
import type { Face } from '../face.ts'
import { followStory, readCursor, writeCursor } from '../story.ts'
import { streamEvents } from '../stream.ts'
import { clockOf } from './views.ts'

/** What pages listen to: new lines of the story are appended, anything else asks the page to load itself anew. */
export function liveRoutes(face: Face, signed: MiddlewareHandler) {
  const app = new Hono()
  app.get('/live', signed, (c) => {
    const after = Number(c.req.query('after') ?? 0)
    return streamEvents(c, face.log, async (sse, signal) => {
      while (!signal.aborted) {
        // Transcripts grow all the time; the front page changes only with a run's state.
        const news = face.news.next(undefined, { timeoutMs: 15_000, signal })
        if ((await face.ledger.events.newest()) > after) return sse.writeSSE({ event: 'reload', data: '' })
        const heard = await news
        // Of two lines written at once by two processes the older may be seen last: the number alone does not tell.
        if (heard === 'state') return sse.writeSSE({ event: 'reload', data: '' })
        if (heard === 'quiet') await sse.write(': still here\n\n')
      }
    })
  })
  app.get('/runs/:id/live', signed, async (c) => {
    const run = await face.acts.find(c.req.param('id'))
    const from = readCursor(c.req.header('last-event-id') ?? c.req.query('from'))
    const clock = await clockOf(face)
    return streamEvents(c, face.log, async (sse, signal) => {
      let before: StoryItem | undefined
      const calls = new Map<string, ToolLine>()
      for await (const part of followStory(face, run.id, { from, signal })) {
        if (part.kind === 'idle') await sse.write(': still here\n\n')
        else if (part.kind === 'event') return sse.writeSSE({ id: writeCursor(part.cursor), event: 'reload', data: '' })
        else {
          const item = withCall(part.kind === 'output' ? storyItemOf(part.line) : part, calls)
          if (!item) continue
          const id = writeCursor(part.cursor)
          const isAnswer = item.kind === 'tool' && item.answer !== undefined
          if (isAnswer) await sse.writeSSE({ id, event: 'put', data: String(storyItem(item, { clock })) })
          else await sse.writeSSE({ id, event: 'append', data: await appended(item, { clock, before }) })
          before = item
        }
      }
    })
  })
  return app
}

/** An answer takes the place of its call, with what was asked as far as this reader was told of it. */
function withCall(item: StoryItem | undefined, calls: Map<string, ToolLine>): StoryItem | undefined {
  if (item?.kind !== 'tool') return item
  if (item.call) calls.set(item.call.toolCallId, item.call)
  if (!item.answer) return item
  const call = calls.get(item.answer.toolCallId)
  calls.delete(item.answer.toolCallId)
  return { ...item, call }
}

async function appended(item: StoryItem, options: { clock: Clock; before: StoryItem | undefined }): Promise<string> {
  return String(await html`<template data-into="told">${storyItem(item, options)}</template>`)
}

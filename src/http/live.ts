import { Hono, type MiddlewareHandler } from 'hono'
import { html } from 'hono/html'
import { streamSSE } from 'hono/streaming'
import type { Clock } from '../ui/moment.ts'
import { storyItem, type StoryItem } from '../ui/story.ts'
import type { Face } from './face.ts'
import { followStory, readCursor, writeCursor } from './story.ts'
import { clockOf } from './views.ts'

/** What pages listen to: new lines of the story are appended, anything else asks the page to load itself anew. */
export function liveRoutes(face: Face, signed: MiddlewareHandler) {
  const app = new Hono()
  app.get('/live', signed, (c) => {
    const after = Number(c.req.query('after') ?? 0)
    return streamSSE(c, async (sse) => {
      const abort = new AbortController()
      sse.onAbort(() => abort.abort())
      const { signal } = abort
      while (!signal.aborted) {
        // Transcripts grow all the time; the front page changes only with a run's state.
        const news = face.news.next(undefined, { timeoutMs: 15_000, signal })
        if ((await face.ledger.events.newest()) > after) return sse.writeSSE({ event: 'reload', data: '' })
        if ((await news) === 'quiet') await sse.write(': still here\n\n')
      }
    })
  })
  app.get('/runs/:id/live', signed, async (c) => {
    const run = await face.acts.find(c.req.param('id'))
    const from = readCursor(c.req.header('last-event-id') ?? c.req.query('from'))
    const clock = await clockOf(face)
    return streamSSE(c, async (sse) => {
      const abort = new AbortController()
      sse.onAbort(() => abort.abort())
      let before: StoryItem | undefined
      for await (const part of followStory(face, run.id, { from, signal: abort.signal })) {
        if (part.kind === 'idle') await sse.write(': still here\n\n')
        else if (part.kind === 'event') return sse.writeSSE({ id: writeCursor(part.cursor), event: 'reload', data: '' })
        else {
          await sse.writeSSE({
            id: writeCursor(part.cursor),
            event: 'append',
            data: await appended(part, { clock, before }),
          })
          before = part
        }
      }
    })
  })
  return app
}

async function appended(item: StoryItem, options: { clock: Clock; before: StoryItem | undefined }): Promise<string> {
  return String(await html`<template data-into="told">${storyItem(item, options)}</template>`)
}

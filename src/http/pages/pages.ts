import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { logged, NotFound } from '../../errors.ts'
import { readInputs } from '../../routines/inputs.ts'
import type { Asset } from '../../ui/assets.ts'
import { pause, resume } from '../../triggers/pausing.ts'
import { homePage } from '../../ui/home.ts'
import { errorPage } from '../../ui/message.ts'
import { runPage } from '../../ui/run.ts'
import { signInPage } from '../../ui/sign-in.ts'
import { requireSignIn } from '../access/auth.ts'
import type { Clock } from '../../ui/moment.ts'
import type { Face } from '../face.ts'
import { isKey } from '../api/idempotency-key.ts'
import { liveRoutes } from './live.ts'
import { occasionPages } from './occasion-pages.ts'
import { problemOf, refuseBadInputs } from '../refuse.ts'
import { actOnPull } from '../api/pulls.ts'
import { findRoutine } from '../api/fire-call.ts'
import { clockOf, homeView, runView } from './views.ts'

type Signed = { Variables: { actor: string } }

/** The pages for people. Every button is a form: everything works by reload, without a script. */
export function pages(face: Face, assets: ReadonlyMap<string, Asset>) {
  const app = new Hono<Signed>()
  app.get('/assets/:name', (c) => {
    const asset = assets.get(c.req.param('name'))
    if (!asset) return c.notFound()
    const headers = { 'content-type': asset.type, etag: asset.etag, 'cache-control': 'no-cache' }
    return c.req.header('if-none-match') === asset.etag ? c.body(null, 304, headers) : c.body(asset.body, 200, headers)
  })
  app.get('/sign-in', async (c) => {
    const key = c.req.query('key')
    return c.html(signInPage(key === undefined ? {} : { key }, await clockOf(face)))
  })
  app.post('/sign-in', async (c) => {
    const { key } = await c.req.parseBody()
    if (typeof key !== 'string' || !face.signIn.useLink(key)) {
      return c.html(
        signInPage({ problem: 'This link was used before, or is older than 15 minutes.' }, await clockOf(face)),
        401,
      )
    }
    await face.signIn.openSession(c)
    return c.redirect('/', 303)
  })
  app.route('/', signedPages(face))
  app.onError(async (error, c) => {
    const { status, headers, body } = problemOf(error)
    if (status >= 500) face.log.error({ ...logged(error), path: c.req.path }, 'a page failed')
    const clock = await clockInNeed(face)
    if (status === 401) return c.html(signInPage({}, clock), 401)
    const hint = typeof body['hint'] === 'string' ? body['hint'] : undefined
    return c.html(errorPage({ status, message: String(body['detail']), hint }, clock), status as 500, headers)
  })
  return app
}

/** The error to be shown may be that the ledger, whose clock it is, is away. */
async function clockInNeed(face: Face): Promise<Clock> {
  try {
    return await clockOf(face)
  } catch {
    return { now: new Date(), zone: face.zone }
  }
}

function signedPages(face: Face) {
  const app = new Hono<Signed>()
  const signed = requireSignIn(face.signIn)
  app.get('/', signed, async (c) => c.html(homePage(await homeView(face))))
  app.get('/runs/:id', signed, async (c) => c.html(runPage(await runView(face, c.req.param('id')))))
  app.route('/', liveRoutes(face, signed))
  app.route('/', occasionPages(face, signed))
  for (const act of ['approve', 'deny', 'cancel'] as const) {
    app.post(`/runs/:id/${act}`, signed, async (c) => {
      await face.acts[act](c.req.param('id'), c.get('actor'))
      return back(c)
    })
  }
  app.post('/runs/:id/retry', signed, async (c) => {
    const fired = await face.acts.retry(c.req.param('id'), c.get('actor'))
    return c.redirect(`/runs/${fired.run}`, 303)
  })
  app.post('/routines/:name/fire', signed, async (c) => {
    const routine = findRoutine(face, c.req.param('name'))
    const { key } = await c.req.parseBody()
    const inputs = refuseBadInputs(readInputs(routine.inputs, {}))
    const unique = isKey(key) ? key : randomUUID()
    const fired = await face.acts.fire({
      routine,
      trigger: 'manual',
      key: `page:${unique}`,
      inputs,
      by: c.get('actor'),
    })
    return c.redirect(fired.run === null ? '/' : `/runs/${fired.run}`, 303)
  })
  for (const path of ['/routines/:name', '']) {
    app.post(`${path}/pause`, signed, async (c) => {
      await pause(face.ledger, { routine: c.req.param('name'), by: c.get('actor'), reason: null })
      return c.redirect('/#tonight', 303)
    })
    app.post(`${path}/resume`, signed, async (c) => {
      await resume(face.ledger, { routine: c.req.param('name'), by: c.get('actor') })
      return c.redirect('/#tonight', 303)
    })
  }
  // A pull request of the local forge is read on the page of the run that made it.
  app.get('/pulls/:id', signed, async (c) => {
    const pull = await face.pulls.read(c.req.param('id'))
    const runs = await face.ledger.runs.withPulls([pull.id])
    const run = runs.find(({ state }) => state === 'published') ?? runs[0]
    if (!run) throw new NotFound('run behind the pull request', pull.id)
    return c.redirect(`/runs/${run.id}#changes`, 302)
  })
  for (const act of ['merge', 'close'] as const) {
    app.post(`/pulls/:id/${act}`, signed, async (c) => {
      const { head } = await c.req.parseBody()
      const seen = typeof head === 'string' ? head : undefined
      await actOnPull(face, { id: c.req.param('id'), act, by: c.get('actor'), seen })
      return back(c)
    })
  }
  return app
}

/** To the page the form stood on; only our own paths. */
async function back(c: Context): Promise<Response> {
  const { back: to } = await c.req.parseBody()
  return c.redirect(typeof to === 'string' && /^\/(?!\/)[\w/-]*$/.test(to) ? to : '/', 303)
}

import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { openAPIRouteHandler } from 'hono-openapi'
import { logged, OvernightError } from '../errors.ts'
import { routineJsonSchema } from '../routines/front-matter.ts'
import { sourceJsonSchema } from '../routines/webhooks/source-keys.ts'
import type { Asset } from '../ui/assets.ts'
import { alertsApi } from './alerts-api.ts'
import { guardOrigin, requireSignIn } from './auth.ts'
import type { Face } from './face.ts'
import { historyApi } from './history-api.ts'
import { gitHubHook } from './hooks/github.ts'
import { occasionsApi } from './occasions-api.ts'
import { healthRoute } from './health.ts'
import { nextApi } from './next-api.ts'
import { pages } from './pages.ts'
import { pausesApi } from './pauses-api.ts'
import { pullsApi } from './pulls-api.ts'
import { BodyTooLarge, problemOf, requireJsonBody } from './refuse.ts'
import { routinesApi } from './routines-api.ts'
import { runsApi } from './runs-api.ts'
import { workersApi } from './workers-api.ts'

export type App = ReturnType<typeof createApp>

/** The whole HTTP side as a value: `app.request('/path')` needs no port. */
export function createApp(face: Face, assets: ReadonlyMap<string, Asset>) {
  const app = new Hono<{ Variables: { actor: string } }>()
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
      referrerPolicy: 'same-origin',
    }),
  )
  // Others call us by whatever name their operator wrote there, and prove who they are by a signature.
  app.route('/hooks/github', gitHubHook({ receiver: face.receiver, secrets: face.gitHubSecrets }))
  app.use(guardOrigin(face.allowedHosts))
  app.use(
    bodyLimit({
      maxSize: 1024 * 1024,
      onError: () => {
        throw new BodyTooLarge(1024)
      },
    }),
  )

  app.route('/health', healthRoute(face))
  app.get('/routine.schema.json', (c) => c.json(routineJsonSchema()))
  app.get('/webhook.schema.json', (c) => c.json(sourceJsonSchema()))

  const api = new Hono<{ Variables: { actor: string } }>()
  api.use(requireSignIn(face.signIn), requireJsonBody)
  api.route('/', pausesApi(face))
  api.route('/', occasionsApi(face))
  api.route('/routines', routinesApi(face))
  api.route('/routines', historyApi(face))
  api.route('/runs', runsApi(face))
  api.route('/pulls', pullsApi(face))
  api.route('/next', nextApi(face))
  api.route('/workers', workersApi(face))
  api.route('/alerts', alertsApi(face))
  api.post('/sign-in-links', (c) => c.json({ path: face.signIn.createLink() }, 201))
  app.route('/v1', api)
  app.get(
    '/openapi.json',
    openAPIRouteHandler(api, {
      documentation: {
        info: { title: 'Overnight', version: '1', description: 'Coding agents as routines.' },
        servers: [{ url: '/v1' }],
        components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
        security: [{ token: [] }],
      },
    }),
  )
  app.route('/', pages(face, assets))

  app.notFound((c) => {
    const error = new OvernightError(`there is nothing at ${c.req.path}`, {
      code: 'not_found',
      status: 404,
      hint: 'see /openapi.json',
    })
    return c.json(problemOf(error).body, 404, { 'content-type': 'application/problem+json' })
  })
  app.onError((error, c) => {
    const { status, headers, body } = problemOf(error)
    if (status >= 500) face.log.error({ ...logged(error), path: c.req.path }, 'a request failed')
    return c.body(JSON.stringify(body), status as 500, {
      'content-type': 'application/problem+json',
      ...headers,
    })
  })
  return app
}

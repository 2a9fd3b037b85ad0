import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { logged, OvernightError } from '../errors.ts'
import { routineJsonSchema } from '../routines/keys/front-matter.ts'
import { connectorJsonSchema } from '../routines/connectors/connector-keys.ts'
import { sourceJsonSchema } from '../routines/webhooks/source-keys.ts'
import type { Asset } from '../ui/assets.ts'
import { alertsApi } from './api/alerts.ts'
import { backfillApi } from './api/backfill.ts'
import { guardOrigin } from './access/auth.ts'
import { describeJson } from './api/describe.ts'
import type { Face } from './face.ts'
import { historyApi } from './api/history.ts'
import { gitHubHookApi } from './api/git-hub-hook.ts'
import { gitHubHook } from './hooks/github.ts'
import { createRefusals } from './hooks/refusals.ts'
import { webhookHooks } from './hooks/webhook.ts'
import { occasionsApi } from './api/occasions.ts'
import { healthRoute } from './health.ts'
import { nextApi } from './api/next.ts'
import { fireApi } from './api/fire.ts'
import { hostedFireApi, hostedPath, hostedProblemOf } from './api/hosted-fire.ts'
import { messagesApi, SigningSecret } from './api/messages.ts'
import { openApiOf } from './api/open-api.ts'
import { pages } from './pages/pages.ts'
import { pausesApi } from './api/pauses.ts'
import { type Asked, refuseTokenInAddress, requireCaller } from './access/programs.ts'
import { planApi, planLimit } from './api/plan.ts'
import { pullsApi } from './api/pulls.ts'
import { BodyTooLarge, problemOf, requireJsonBody } from './refuse.ts'
import { routinesApi } from './api/routines.ts'
import { secretsApi } from './api/secrets.ts'
import { runsApi } from './api/runs.ts'
import { connectorsApi } from './api/connectors.ts'
import { sourcesApi } from './api/sources.ts'
import { tokensApi } from './api/tokens.ts'
import { workersApi } from './api/workers.ts'

const ordinaryLimit = bodyLimit({
  maxSize: 1024 * 1024,
  onError: () => {
    throw new BodyTooLarge(1024)
  },
})

export type App = ReturnType<typeof createApp>

/** The whole HTTP side as a value: `app.request('/path')` needs no port. */
export function createApp(face: Face, assets: ReadonlyMap<string, Asset>) {
  const app = new Hono<{ Variables: { actor: string } }>()
  // Others call us by whatever name their operator wrote there, and prove who they are by a signature. No browser is
  // answered here: nothing comes before them, since each header that is set afterwards costs as much as the rest of an answer.
  app.route('/hooks/github', gitHubHook({ receiver: face.receiver, secrets: face.gitHubSecrets }))
  const { webhooks: desk, receiver, ledger, log } = face
  const refusals = createRefusals({ settings: ledger.settings, log })
  app.route('/hooks', webhookHooks({ desk, receiver, deliveries: ledger.deliveries }))
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
  app.use(guardOrigin(face.allowedHosts))
  app.use(refuseTokenInAddress(face.signIn))
  app.use((c, next) => (c.req.path === '/v1/plan' ? planLimit : ordinaryLimit)(c, next))

  app.route('/health', healthRoute(face))
  app.get('/routine.schema.json', (c) => c.json(routineJsonSchema()))
  app.get('/webhook.schema.json', (c) => c.json(sourceJsonSchema()))
  app.get('/connector.schema.json', (c) => c.json(connectorJsonSchema()))

  const api = new Hono<Asked>()
  api.use(requireCaller(face), requireJsonBody)
  api.route('/', pausesApi(face))
  api.route('/', occasionsApi(face))
  api.route('/routines', routinesApi(face))
  api.route('/plan', planApi(face))
  api.route('/routines', historyApi(face))
  api.route('/routines', fireApi(face))
  api.route('/routines', backfillApi(face))
  api.route('/claude_code/routines', hostedFireApi(face))
  api.route('/runs', runsApi(face))
  api.route('/pulls', pullsApi(face))
  api.route('/next', nextApi(face))
  api.route('/workers', workersApi(face))
  api.route('/alerts', alertsApi(face))
  api.route('/sources', sourcesApi(face, refusals))
  api.route('/connectors', connectorsApi(face))
  api.route('/hooks', gitHubHookApi(face, refusals))
  api.route('/tokens', tokensApi(face))
  api.route('/secrets', secretsApi(face))
  api.route('/messages', messagesApi(face))
  api.get('/signing-secret', describeJson('What signs our messages, newest first', 200, SigningSecret), async (c) =>
    c.json({ secrets: await face.signingSecrets() }, 200, { 'cache-control': 'no-store' }),
  )
  api.post('/sign-in-links', (c) => c.json({ path: face.signIn.createLink() }, 201))
  app.route('/v1', api)
  app.get('/openapi.json', async (c) => c.json(await openApiOf(api)))
  app.route('/', pages(face, assets))

  app.notFound((c) => {
    throw new NothingHere(c.req.path)
  })
  app.onError((error, c) => {
    const isHosted = c.req.path.startsWith(hostedPath)
    const { status, headers, body } = isHosted ? hostedProblemOf(error) : problemOf(error)
    const isTold = c.req.path.startsWith(hooksPath) && refusals.note(sourceAt(c.req.path), error)
    if (status >= 500 && !isTold) log.error({ ...logged(error), path: c.req.path }, 'a request failed')
    const type = isHosted ? 'application/json' : 'application/problem+json'
    return c.body(JSON.stringify(body), status as 500, { 'content-type': type, ...headers })
  })
  return app
}

const hooksPath = '/hooks/'
/** Escaped in some way it may be the same source by any number of names. */
const sourceAt = (path: string) => /^[\w-]{1,64}$/.exec(path.slice(hooksPath.length))?.[0] ?? 'others'

class NothingHere extends OvernightError {
  constructor(path: string) {
    super(`there is nothing at ${path}`, { code: 'not_found', status: 404, hint: 'see /openapi.json' })
  }
}

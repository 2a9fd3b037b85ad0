import { Hono } from 'hono'
import { isOperator } from './access/auth.ts'
import type { Face } from './face.ts'

/** For whoever watches from outside: the state alone, and what stands still for those who may know. No token is needed. */
export function healthRoute(face: Face) {
  return new Hono().get('/', (c) => {
    const { state, faults } = face.health()
    const challenge = c.req.header('overnight-challenge')
    if (challenge !== undefined) c.header('overnight-proof', face.signIn.prove(challenge))
    const isKnown = isOperator(face.signIn, c.req.header('authorization'))
    const alerts = isKnown ? { alerts: faults.map(({ message }) => message) } : {}
    return c.json({ state, ...alerts }, state === 'ok' ? 200 : 503)
  })
}

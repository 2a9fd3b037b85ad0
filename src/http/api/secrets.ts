import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import { z } from 'zod'
import { NotFound } from '../../errors.ts'
import type { SealedSecret } from '../../ledger/schema.ts'
import { describeJson } from './describe.ts'
import type { Face } from '../face.ts'
import { findRoutine } from './fire-call.ts'
import { refuseInvalid } from '../refuse.ts'
import { repositoryScope } from './repository-scope.ts'

const notHost = (written: string) =>
  `must be a host, such as api.example.com or ci.internal:8443 (letters beyond a to z as xn--…), and is ${JSON.stringify(written)}`
const host = z
  .string()
  .toLowerCase()
  .regex(/^(\[[\da-f:.]+\]|[\da-z.-]+)(:\d{1,5})?$/, { error: ({ input }) => notHost(String(input)) })
const Name = z.object({
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be a letter and then letters, digits or _, at most 63'),
})
const Scope = z.object({
  routine: z.string().default('').describe('Only for this routine; default: any.'),
  repository: z
    .string()
    .max(1000)
    .default('')
    .describe('Only for this repository: owner/name, its address, or its whole path; default: any.'),
})
const Put = Scope.extend({
  repository: Scope.shape.repository.refine(
    (written) => written === '' || repositoryScope(written) !== undefined,
    'must be owner/name, an address or a whole path: no run works on a repository that is called otherwise',
  ),
  value: z
    .string()
    .max(64 * 1024)
    .refine(
      (value) => Buffer.byteLength(value.trim()) >= 8,
      'must have 8 bytes or more: a shorter one would garble texts',
    )
    .describe('Encrypted before it is kept, and never told again.'),
  hosts: z.array(host).max(100).default([]).describe('It may be sent to these; none = to nobody.'),
}).strict()
const Secret = z.object({
  name: z.string(),
  routine: z.string().nullable().describe('null = any.'),
  repository: z.string().nullable().describe('null = any.'),
  hosts: z.array(z.string()),
  by: z.string(),
  at: z.iso.datetime(),
})
export type SecretJson = z.infer<typeof Secret>

/** Secrets that are stored here. Values go in and never come out. */
export function secretsApi(face: Face) {
  const { ledger } = face
  const app = new Hono<{ Variables: { actor: string } }>()
  const list = async () => ({ secrets: (await ledger.sealed.all()).map(secretJson) })

  app.get(
    '/',
    describeJson('Secrets that are stored here, without their values', 200, z.object({ secrets: z.array(Secret) })),
    async (c) => c.json(await list()),
  )

  app.put(
    '/:name',
    describeJson('Stores a secret, or replaces the one of this name, routine and repository', 200, Secret),
    validator('param', Name, refuseInvalid),
    validator('json', Put, refuseInvalid),
    async (c) => {
      const { name } = c.req.valid('param')
      const { value, ...asked } = c.req.valid('json')
      const scope = inScope(asked)
      if (scope.routine !== '') findRoutine(face, scope.routine)
      const bound = { name, ...scope }
      const sealed = await face.sealSecret(value, bound)
      const by = c.get('actor')
      const rows = await ledger.transaction(async (tx) => {
        await tx.sealed.put({ ...bound, sealed, by })
        await tx.events.audit(by, 'secret.set', name)
        return tx.sealed.called(name)
      })
      return c.json(secretJson(rows.find((row) => isAt(row, scope))!))
    },
  )

  app.delete(
    '/:name',
    describeJson(
      'Removes the secret of this name, routine and repository',
      200,
      z.object({ removed: z.literal(true) }),
    ),
    validator('param', Name, refuseInvalid),
    validator('query', Scope, refuseInvalid),
    async (c) => {
      const { name } = c.req.valid('param')
      await ledger.transaction(async (tx) => {
        if (!(await tx.sealed.remove({ name, ...inScope(c.req.valid('query')) })))
          throw new NotFound('secret', name, '`overnight secret list` has them, each with its routine and repository')
        await tx.events.audit(c.get('actor'), 'secret.remove', name)
      })
      return c.json({ removed: true as const })
    },
  )
  return app
}

/** By the names that runs ask with. */
const inScope = <T extends { repository: string }>(scope: T): T => ({
  ...scope,
  repository: repositoryScope(scope.repository) ?? scope.repository,
})

const isAt = (row: SealedSecret, { routine, repository }: { routine: string; repository: string }) =>
  row.routine === routine && row.repository === repository

function secretJson({ name, routine, repository, hosts, by, at }: SealedSecret): SecretJson {
  return { name, routine: routine || null, repository: repository || null, hosts, by, at: at.toISOString() }
}

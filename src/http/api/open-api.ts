import type { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import type { Asked } from '../access/programs.ts'
import { scopeOf } from '../access/rights.ts'

const methods = ['get', 'post', 'put', 'delete', 'patch'] as const

const documentation = {
  info: { title: 'Overnight', version: '1', description: 'Coding agents as routines.' },
  servers: [{ url: '/v1' }],
  components: {
    securitySchemes: {
      operator: {
        type: 'http' as const,
        scheme: 'bearer',
        description: 'The token in the data folder; it may do everything a person may.',
      },
      token: {
        type: 'http' as const,
        scheme: 'bearer',
        description: 'A token of a program (`overnight token create`), `ovn_…`, with the scope that is named.',
      },
    },
  },
}

/** What is at `/v1`, and who may ask for it. */
export async function openApiOf(api: Hono<Asked>) {
  const described = await generateSpecs(api, { documentation })
  for (const [path, operations] of Object.entries(described.paths)) {
    for (const method of methods) {
      const operation = operations?.[method]
      const scope = scopeOf(method.toUpperCase(), path)
      if (operation) operation.security = [{ operator: [] }, ...(scope === undefined ? [] : [{ token: [scope] }])]
    }
  }
  return described
}

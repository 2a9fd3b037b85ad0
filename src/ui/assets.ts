import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

export type Asset = { body: string; type: string; etag: string }

const types = {
  'overnight.css': 'text/css; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** What pages load from `/assets/<name>`: style, script and icon, by name. */
export async function readAssets(): Promise<Map<string, Asset>> {
  const entries = Object.entries(types).map(async ([name, type]): Promise<[string, Asset]> => {
    const body = await readFile(new URL(`assets/${name}`, import.meta.url), 'utf8')
    return [name, { body, type, etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"` }]
  })
  return new Map(await Promise.all(entries))
}

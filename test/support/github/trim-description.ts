import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes description.json anew from GitHub's own OpenAPI description: what may be asked, without the answers. The package is
 * downloaded into a temporary folder, because it is 385 MB on disk. `node test/support/github/trim-description.ts`
 */
const version = '23.0.2'
const kept: Record<string, readonly string[]> = {
  '/app': ['get'],
  '/app/hook/config': ['get'],
  '/app/hook/deliveries': ['get'],
  '/app/hook/deliveries/{delivery_id}/attempts': ['post'],
  '/app/installations/{installation_id}': ['get'],
  '/app/installations/{installation_id}/access_tokens': ['post'],
  '/installation/repositories': ['get'],
  '/installation/token': ['delete'],
  '/rate_limit': ['get'],
  '/user': ['get'],
  '/repos/{owner}/{repo}': ['get'],
  '/repos/{owner}/{repo}/hooks': ['get'],
  '/repos/{owner}/{repo}/hooks/{hook_id}/deliveries': ['get'],
  '/repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts': ['post'],
  '/repos/{owner}/{repo}/installation': ['get'],
  '/repos/{owner}/{repo}/branches/{branch}': ['get'],
  '/repos/{owner}/{repo}/collaborators/{username}/permission': ['get'],
  '/repos/{owner}/{repo}/compare/{basehead}': ['get'],
  '/repos/{owner}/{repo}/git/matching-refs/{ref}': ['get'],
  '/repos/{owner}/{repo}/git/ref/{ref}': ['get'],
  '/repos/{owner}/{repo}/issues/{issue_number}/comments': ['get', 'post'],
  '/repos/{owner}/{repo}/check-runs': ['post'],
  '/repos/{owner}/{repo}/commits/{ref}/check-runs': ['get'],
  '/repos/{owner}/{repo}/commits/{ref}/statuses': ['get'],
  '/repos/{owner}/{repo}/issues/comments/{comment_id}': ['patch', 'delete'],
  '/repos/{owner}/{repo}/statuses/{sha}': ['post'],
  '/repos/{owner}/{repo}/issues/{issue_number}/labels': ['get', 'post', 'put'],
  '/repos/{owner}/{repo}/pulls': ['get', 'post'],
  '/repos/{owner}/{repo}/pulls/{pull_number}': ['get', 'patch'],
  '/repos/{owner}/{repo}/pulls/{pull_number}/files': ['get'],
  '/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers': ['get', 'post', 'delete'],
}

type Json = { [key: string]: Json | undefined } | Json[] | string | number | boolean | null

const folder = mkdtempSync(join(tmpdir(), 'openapi-'))
try {
  execFileSync('npm', ['pack', '--silent', `@octokit/openapi@${version}`], { cwd: folder })
  const file = 'package/generated/api.github.com.json'
  const tarball = join(folder, `octokit-openapi-${version}.tgz`)
  const text = execFileSync('tar', ['--extract', '--to-stdout', '--file', tarball, file], {
    maxBuffer: 64 * 1024 * 1024,
  })
  const trimmed = trim(JSON.parse(text.toString('utf8')) as Description)
  writeFileSync(join(import.meta.dirname, 'description.json'), `${JSON.stringify(trimmed, null, 1)}\n`)
} finally {
  rmSync(folder, { recursive: true })
}

type Description = {
  info: { version: string }
  paths: Record<string, Record<string, { parameters?: Json[]; requestBody?: Json }>>
}

function trim(whole: Description) {
  const resolve = (value: Json | undefined): Json | undefined => {
    if (Array.isArray(value)) return value.map((entry) => resolve(entry) ?? null)
    if (typeof value !== 'object' || value === null) return value
    if (typeof value['$ref'] === 'string') return resolve(pointedAt(whole, value['$ref']))
    const entries = Object.entries(value).filter(([key, entry]) => !isProse(key, entry))
    return Object.fromEntries(entries.map(([key, entry]) => [key, resolve(entry)]))
  }
  const paths = Object.entries(kept).map(([path, methods]) => {
    const operations = methods.map((method) => {
      const operation = whole.paths[path]?.[method]
      if (!operation) throw new Error(`GitHub's description has no ${method} ${path}`)
      return [method, { parameters: resolve(operation.parameters ?? []), requestBody: resolve(operation.requestBody) }]
    })
    return [path, Object.fromEntries(operations)]
  })
  return { source: `@octokit/openapi@${version}`, paths: Object.fromEntries(paths) }
}

/** A property may be called `description`, too: then its value is a schema and not a sentence. */
function isProse(key: string, value: Json | undefined): boolean {
  if (key.startsWith('x-') || key === 'examples') return true
  return ['description', 'example', 'title'].includes(key) && (typeof value !== 'object' || key === 'example')
}

function pointedAt(whole: object, ref: string): Json {
  const keys = ref
    .slice(2)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return keys.reduce<Json>((at, key) => (at as Record<string, Json>)[key]!, whole as Json)
}

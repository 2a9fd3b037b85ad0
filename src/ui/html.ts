import { html as escaped } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { visible } from './visible.ts'

/** Markup of ours. A plain string is never Html: whatever came from outside is escaped on its way in. */
export type Html = HtmlEscapedString
export type Part = Html | string | number | false | null | undefined | readonly Part[]

/** The one door through which text becomes a page: escapes markup and writes out characters that cannot be seen. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  return escaped(strings, ...values.map(shown)) as Html
}

function shown(part: Part): Part {
  if (typeof part === 'string') return visible(part)
  return Array.isArray(part) ? part.map((one: Part) => shown(one)) : part
}

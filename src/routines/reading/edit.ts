import { parseDocument } from 'yaml'
import { splitFile } from './file-text.ts'

export type Edit = { path: readonly (string | number)[]; value: unknown }

/** The file's text with some values of its front matter replaced; comments, order and the prompt stay as they are. */
export function editFrontMatter(text: string, edits: readonly Edit[]): string {
  const file = splitFile(text)
  if (!('prompt' in file) || file.frontMatter === undefined) return text
  const { text: yaml, offset } = file.frontMatter
  const document = parseDocument(yaml)
  for (const { path, value } of edits) document.setIn(path, value)
  return text.slice(0, offset) + document.toString({ lineWidth: 0 }) + text.slice(offset + yaml.length)
}

/** One `{{ … }}` of a prompt. `path` is undefined when what stands inside is no path. */
export type Mark = { index: number; written: string; path: string[] | undefined }

const mark = /(\\?)\{\{([^{}\n]*)\}\}/g
const pathPattern = /^[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/

/** Every mark that is to be filled in, as it is asked for; `\{{` stands for `{{` itself. */
export function* findMarks(template: string): Generator<Mark> {
  for (const match of template.matchAll(mark)) {
    if (match[1] === '') yield { index: match.index, written: match[0], path: pathOf(match[2] ?? '') }
  }
}

/** Replaces every mark once; what is put in is never looked at again. */
export function replaceMarks(template: string, fill: (path: string[]) => string): string {
  return template.replaceAll(mark, (written: string, escape: string, inside: string) => {
    if (escape !== '') return written.slice(1)
    const path = pathOf(inside)
    return path ? fill(path) : ''
  })
}

function pathOf(inside: string): string[] | undefined {
  const path = inside.trim()
  return path.length <= 200 && pathPattern.test(path) ? path.split('.') : undefined
}

import { RE2JS } from 're2js'
import { z } from 'zod'
import { Globs } from './globs.ts'

const plain = z.union([z.string(), z.number(), z.boolean()])

/**
 * A pattern takes time by its size times the text it looks at, whatever both say (RE2). Nothing else may run meanwhile, so that both are
 * bounded: all patterns of one condition together by this, the text by `maxMatchedLength` of triggers/condition.ts.
 */
const maxPatternSize = 100

const Pattern = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    const wrong = wrongWith(pattern)
    if (wrong !== undefined) context.addIssue({ code: 'custom', continue: false, message: wrong })
  })

const Test = z.strictObject({
  eq: plain.optional().describe('Is exactly this.'),
  ne: plain.optional().describe('Is not this; where there are several values, none is.'),
  in: z.array(plain).min(1).optional().describe('Is one of these.'),
  contains: plain.optional().describe('Text that has this in it, or a list with this entry.'),
  starts_with: z.string().min(1).optional().describe('Text that begins with this.'),
  matches: Pattern.optional().describe('Text in which this regular expression (RE2) finds something.'),
  exists: z.boolean().optional().describe('Is it there at all? null is not.'),
})
type Test = z.output<typeof Test>

export type WrittenCondition = {
  any?: WrittenCondition[] | undefined
  all?: WrittenCondition[] | undefined
  not?: WrittenCondition | undefined
  changed?: string | string[] | undefined
} & Record<string, unknown>

const unsafe = ['__proto__', 'prototype', 'constructor']

/** Any other key is a path into the event, such as `pull_request.labels.*.name`. */
const Inner: z.ZodType<WrittenCondition, WrittenCondition> = z
  .object({
    any: z
      .lazy(() => z.array(Inner).min(1))
      .optional()
      .describe('At least one of these holds.'),
    all: z
      .lazy(() => z.array(Inner).min(1))
      .optional()
      .describe('All of these hold.'),
    not: z
      .lazy(() => Inner)
      .optional()
      .describe('This does not hold.'),
    changed: Globs.optional().describe('Paths, such as src/** or !docs/**, of which one was changed.'),
  })
  .catchall(Test)
  .superRefine((written, context) => {
    if (context.issues.length > 0) return
    const keys = Object.keys(written)
    if (keys.length === 0)
      context.addIssue({
        code: 'custom',
        continue: false,
        message: 'must have a key: any, all, not, changed, or a path',
      })
    for (const key of keys) {
      const wrong = wrongPath(key)
      if (wrong !== undefined) context.addIssue({ code: 'custom', continue: false, path: [key], message: wrong })
      else if (isEmptyTest(written[key]))
        context.addIssue({
          code: 'custom',
          continue: false,
          path: [key],
          message: 'must have a test, such as eq: or exists:',
        })
    }
  })

/** A condition on an event, as people write it. Several keys of one map must all hold. */
export const WrittenCondition = z
  .lazy(() => Inner)
  .superRefine((written, context) => {
    if (patternSize(conditionOf(written)) > maxPatternSize)
      context.addIssue({
        code: 'custom',
        continue: false,
        message: `has regular expressions that are too large together (over ${maxPatternSize} instructions)`,
      })
  })

const isEmptyTest = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0

function wrongPath(path: string): string | undefined {
  const steps = path.split('.')
  if (steps.some((step) => step === '')) return 'must be a path of names with . between them'
  const bad = steps.find((step) => unsafe.includes(step))
  if (bad !== undefined) return `must not name ${bad}`
  return steps.length > 20 ? 'must have at most 20 names' : undefined
}

function wrongWith(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)
    return `is not a regular expression (RE2): ${said}${adviceFor(said)}`
  }
}

/** What other dialects know and RE2 does not, because looking for it can take for ever; and what to write instead. */
function adviceFor(said: string): string {
  if (/`\(\?<?[=!]/.test(said))
    return ' – it has no lookahead and no lookbehind: write a second condition, such as not:'
  if (/`\\[1-9k]/.test(said)) return ' – it has no backreferences: write what is repeated twice'
  if (/`\(\?>|`[*+?}]\+/.test(said)) return ' – it has no atomic groups and needs none: write (…) or one + or *'
  return ''
}

/** A condition as a tree of decisions, its patterns compiled. */
export type Condition =
  | { kind: 'all'; of: Condition[] }
  | { kind: 'any'; of: Condition[] }
  | { kind: 'not'; of: Condition }
  | { kind: 'changed'; globs: string[] }
  | { kind: 'test'; path: string[]; test: Omit<Test, 'matches'> & { matches?: RE2JS } }

export function conditionOf(written: WrittenCondition): Condition {
  const of = Object.entries(written).flatMap(([key, value]) => (value === undefined ? [] : partOf(key, written)))
  return of.length === 1 ? of[0]! : { kind: 'all', of }
}

function partOf(key: string, written: WrittenCondition): Condition {
  const { any, all, not, changed } = written
  if (key === 'any' && any) return { kind: 'any', of: any.map(conditionOf) }
  if (key === 'all' && all) return { kind: 'all', of: all.map(conditionOf) }
  if (key === 'not' && not) return { kind: 'not', of: conditionOf(not) }
  if (key === 'changed' && changed !== undefined) return { kind: 'changed', globs: [changed].flat() }
  const { matches, ...test } = Test.parse(written[key])
  return {
    kind: 'test',
    path: key.split('.'),
    test: matches === undefined ? test : { ...test, matches: RE2JS.compile(matches) },
  }
}

function patternSize(condition: Condition): number {
  if (condition.kind === 'test') return condition.test.matches?.programSize() ?? 0
  if (condition.kind === 'changed') return 0
  return [condition.of].flat().reduce((sum, part) => sum + patternSize(part), 0)
}

/** Must it be known which files were changed? */
export function asksForFiles(condition: Condition): boolean {
  if (condition.kind === 'changed') return true
  return condition.kind !== 'test' && [condition.of].flat().some(asksForFiles)
}

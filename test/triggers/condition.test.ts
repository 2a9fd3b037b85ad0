import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asksForFiles, conditionOf, WrittenCondition } from '../../src/routines/keys/condition.ts'
import { holds, valuesAt, type Facts } from '../../src/triggers/condition.ts'
import { fits, isChanged } from '../../src/routines/path-glob.ts'

const payload = {
  action: 'opened',
  number: 7,
  draft: false,
  milestone: null,
  'odd key': 'yes',
  labels: [{ name: 'bug' }, { name: 'p1' }],
  topics: ['cli', 3],
  head: { ref: 'feature/x', repo: { fork: true } },
  body: 'please fix the bug in src/main.ts',
}
const fit = (written: object, facts: Partial<Facts> = {}) =>
  holds(conditionOf(WrittenCondition.parse(written)), { payload, ...facts })

describe('a condition', () => {
  test.each<[object, boolean]>([
    [{ action: { eq: 'opened' } }, true],
    [{ action: { eq: 'Opened' } }, false],
    [{ number: { eq: 7 } }, true],
    [{ number: { eq: '7' } }, false],
    [{ draft: { eq: false } }, true],
    [{ draft: { ne: true } }, true],
    [{ nothing: { ne: 'x' } }, true],
    [{ nothing: { eq: 'x' } }, false],
    [{ action: { in: ['closed', 'opened'] } }, true],
    [{ action: { in: ['closed'] } }, false],
    [{ milestone: { exists: true } }, false],
    [{ milestone: { exists: false } }, true],
    [{ draft: { exists: true } }, true],
    [{ 'head.repo.fork': { eq: true } }, true],
    [{ 'head.repo.fork.deeper': { exists: true } }, false],
    [{ 'odd key': { eq: 'yes' } }, true],
    [{ 'labels.*.name': { eq: 'p1' } }, true],
    [{ 'labels.*.name': { ne: 'p1' } }, false],
    [{ 'labels.*.name': { ne: 'p2' } }, true],
    [{ 'labels.1.name': { eq: 'p1' } }, true],
    [{ 'labels.name': { exists: true } }, false],
    [{ 'labels.length': { exists: true } }, false],
    [{ 'labels.5.name': { exists: true } }, false],
    [{ 'head.*.fork': { eq: true } }, true],
    [{ topics: { contains: 'cli' } }, true],
    [{ topics: { contains: 3 } }, true],
    [{ topics: { contains: '3' } }, false],
    [{ body: { contains: 'bug' } }, true],
    [{ body: { contains: 'Bug' } }, false],
    [{ number: { contains: 7 } }, false],
    [{ 'head.ref': { starts_with: 'feature/' } }, true],
    [{ 'head.ref': { starts_with: 'x' } }, false],
    [{ number: { starts_with: '7' } }, false],
    [{ body: { matches: 'fix .* src/\\w+\\.ts$' } }, true],
    [{ body: { matches: '^fix' } }, false],
    [{ body: { matches: '(?i)PLEASE' } }, true],
    [{ 'labels.*.name': { matches: '^p\\d$' } }, true],
    [{ action: { eq: 'opened', starts_with: 'o' } }, true],
    [{ action: { eq: 'opened', starts_with: 'x' } }, false],
    [{ action: { eq: 'opened' }, number: { eq: 8 } }, false],
    [{ any: [{ number: { eq: 8 } }, { draft: { eq: false } }] }, true],
    [{ all: [{ number: { eq: 8 } }, { draft: { eq: false } }] }, false],
    [{ not: { number: { eq: 8 }, draft: { eq: false } } }, true],
    [{ not: { any: [{ not: { number: { eq: 7 } } }] } }, true],
    [{ number: { eq: 7 }, not: { draft: { eq: true } }, any: [{ action: { exists: true } }] }, true],
  ])('%j is %s', (written, expected) => expect(fit(written)).toBe(expected))

  test('on changed files, where the event has any', () => {
    const changed = ['src/a/b.ts', 'docs/index.md']
    expect(fit({ changed: 'src/**' }, { changed })).toBe(true)
    expect(fit({ changed: ['**/*.css', 'lib/**'] }, { changed })).toBe(false)
    expect(fit({ changed: ['**', '!docs/**'] }, { changed: ['docs/index.md'] })).toBe(false)
    expect(fit({ changed: '**' })).toBe(false)
    expect(asksForFiles(conditionOf({ any: [{ not: { changed: 'a' } }] }))).toBe(true)
    expect(asksForFiles(conditionOf({ action: { eq: 'changed' } }))).toBe(false)
  })

  test.each([
    [{}, 'must have a key'],
    [{ action: {} }, 'must have a test'],
    [{ 'a..b': { eq: 1 } }, 'must be a path'],
    [{ '__proto__.x': { eq: 1 } }, 'must not name __proto__'],
    [{ 'a.constructor.name': { eq: 1 } }, 'must not name constructor'],
    [{ 'a.prototype': { exists: true } }, 'must not name prototype'],
    ...['(?=x)', 'a(?!x)', '(?<=x)a', '(?<!x)a'].map((pattern): [object, string] => [
      { a: { matches: pattern } },
      ' – it has no lookahead and no lookbehind: write a second condition, such as not:',
    ]),
    ...['(a)\\1', '(?<n>a)\\k<n>'].map((pattern): [object, string] => [
      { a: { matches: pattern } },
      ' – it has no backreferences: write what is repeated twice',
    ]),
    ...['(?>a)', 'a++'].map((pattern): [object, string] => [
      { a: { matches: pattern } },
      ' – it has no atomic groups and needs none: write (…) or one + or *',
    ]),
    [{ a: { matches: '\\Z' } }, '(RE2): invalid escape sequence: '],
    [{ a: { matches: '(' } }, 'is not a regular expression (RE2): missing closing )'],
    [{ a: { matches: 'x{1001}' } }, 'invalid repeat count'],
    [{ a: { matches: 'x{500}' } }, 'too large together'],
    [{ any: [{ a: { matches: 'x{60}' } }, { not: { b: { matches: 'y{60}' } } }] }, 'too large together'],
    [{ changed: '/src' }, 'must be a path from the root'],
    [{ changed: ['!docs/**'] }, 'must have an entry without !'],
    [{ changed: [] }, ''],
    [{ any: [{ a: { matches: '(' } }] }, 'missing closing )'],
    [{ any: [] }, ''],
    [{ a: { eq: null } }, ''],
    [{ a: 'b' }, ''],
  ])('%j is refused: %s', (written, words) => {
    const parsed = WrittenCondition.safeParse(written)
    expect(parsed.success).toBe(false)
    expect(parsed.error?.message).toContain(words)
  })

  test('follows own properties only, whatever a payload is called', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"a":{"constructor":{"name":"x"}}}')
    expect(valuesAt(hostile, ['admin'])).toEqual([])
    expect(valuesAt({}, ['toString'])).toEqual([])
    expect(valuesAt('text', ['length'])).toEqual([])
    expect(valuesAt(hostile, ['__proto__', '*'])).toEqual([true])
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
  })
})

describe('properties', () => {
  const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constant(null))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'length'), tie('tree'), { maxKeys: 3 }),
    ),
  }))
  const path = fc.array(fc.constantFrom('a', 'b', '*', '0', '1', 'length'), { minLength: 1, maxLength: 4 })
  const test1 = fc.oneof(
    fc.record({ eq: fc.oneof(fc.string({ maxLength: 2 }), fc.integer({ min: 0, max: 3 }), fc.boolean()) }),
    fc.record({ exists: fc.boolean() }),
    fc.record({ contains: fc.constantFrom('a', 1) }),
    fc.record({ starts_with: fc.constantFrom('a', ' ') }),
  )
  const { condition } = fc.letrec<{ condition: object }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      fc.tuple(path, test1).map(([steps, one]) => ({ [steps.join('.')]: one })),
      fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
      fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
      tie('condition').map((not) => ({ not })),
    ),
  }))
  const says = (written: object, about: unknown) =>
    holds(conditionOf(WrittenCondition.parse(written)), { payload: about })

  test('not, any and all are what logic says', () => {
    fc.assert(
      fc.property(condition, condition, tree, (a, b, about) => {
        const [left, right] = [says(a, about), says(b, about)]
        expect(says({ not: a }, about)).toBe(!left)
        expect(says({ any: [a, b] }, about)).toBe(left || right)
        expect(says({ all: [a, b] }, about)).toBe(left && right)
        expect(says({ not: { any: [{ not: a }, { not: b }] } }, about)).toBe(left && right)
      }),
    )
  })

  test('ne is the contrary of eq, wherever a path leads', () => {
    fc.assert(
      fc.property(path, fc.integer({ min: 0, max: 3 }), tree, (steps, value, about) => {
        const at = steps.join('.')
        expect(says({ [at]: { ne: value } }, about)).toBe(!says({ [at]: { eq: value } }, about))
      }),
    )
  })

  test('a path through names alone is what JavaScript finds there', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 }), tree, (steps, about) => {
        const found = steps.reduce<unknown>(
          (value, step) =>
            typeof value === 'object' && value !== null && Object.hasOwn(value, step)
              ? (value as Record<string, unknown>)[step]
              : undefined,
          about,
        )
        expect(valuesAt(about, steps)).toEqual(found === undefined || found === null ? [] : [found])
      }),
    )
  })
})

describe('a path glob', () => {
  test.each<[string, string, boolean]>([
    ['src/**', 'src/a/b.ts', true],
    ['src/**', 'source/a', false],
    ['**/*.ts', 'a.ts', true],
    ['**/*.ts', 'a/b/c.ts', true],
    ['*.ts', 'a/b.ts', false],
    ['src/*/index.ts', 'src/a/index.ts', true],
    ['src/*/index.ts', 'src/a/b/index.ts', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['package.json', 'packageXjson', false],
    ['**', '.github/workflows/ci.yml', true],
    ['*a*b*', 'xxaxxbxx', true],
  ])('%s and %s: %s', (glob, path, expected) => expect(fits(glob, path)).toBe(expected))

  test('the last entry that fits decides', () => {
    expect(isChanged(['**', '!docs/**', 'docs/keep.md'], 'docs/keep.md')).toBe(true)
    expect(isChanged(['**', '!docs/**'], 'docs/a.md')).toBe(false)
  })

  test('a name that fits * letter by letter is the same as a slow and simple reading of the rule', () => {
    const simple = (glob: string, name: string): boolean => {
      if (glob === '') return name === ''
      if (glob[0] === '*') return simple(glob.slice(1), name) || (name !== '' && simple(glob, name.slice(1)))
      return name !== '' && (glob[0] === '?' || glob[0] === name[0]) && simple(glob.slice(1), name.slice(1))
    }
    const letters = (marks: string) =>
      fc.string({ unit: fc.constantFrom(...Array.from(marks)), minLength: 1, maxLength: 7 })
    fc.assert(
      fc.property(letters('ab*?'), letters('ab'), (glob, name) => {
        fc.pre(!glob.includes('**'))
        expect(fits(glob, name)).toBe(simple(glob, name))
      }),
    )
  })
})

// The thread that judges also answers: what a stranger writes and what an owner wrote must not stop it together.
describe('never longer than 50 ms', () => {
  const random = (seed: number, letters: string) =>
    Array.from(
      { length: 65_536 },
      () => letters[(seed = (seed * 1103515245 + 12345) & 0x7fffffff) % letters.length],
    ).join('')
  const texts = ['a'.repeat(65_536), random(1, 'ab'), random(2, 'ab xé.'), `${'ab '.repeat(20_000)}!`]
  test.each([
    '(a+)+$',
    '(a|aa)+$',
    '(.*a){15}$',
    '(a|b)*a(a|b){25}$',
    '[ab]*a[ab]{90}$',
    '(?:a?){30}a{30}$',
    '(\\w+\\s?)*$',
    '(?i)(\\p{L}+\\s*)*$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(a.{0,15}b.{0,15})x$',
  ])('%s', (pattern) => {
    const condition = conditionOf(WrittenCondition.parse({ 'list.*': { matches: pattern } }))
    const payload = { list: texts }
    const started = process.threadCpuUsage()
    holds(condition, { payload })
    const { user, system } = process.threadCpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(50)
  })

  test('many files and a glob full of stars', () => {
    const changed = Array.from({ length: 3000 }, (_, index) => `${'a'.repeat(200)}/${index}`)
    const condition = conditionOf(WrittenCondition.parse({ changed: ['*a*a*a*a*a*a*b/**', '**/*a*a*b'] }))
    const started = process.threadCpuUsage()
    expect(holds(condition, { payload: {}, changed })).toBe(false)
    const { user, system } = process.threadCpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(1000)
  })
})

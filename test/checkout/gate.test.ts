import { array, assert, constant, constantFrom, oneof, option, property, record, string, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gate } from '../../src/checkout/gate.ts'
import type { Change } from '../../src/checkout/patch.ts'

function change(path: string, rest: Partial<Change> = {}): Change {
  const plain = {
    status: 'modified',
    oldMode: '100644',
    newMode: '100644',
    bytes: 10,
    added: 1,
    removed: 0,
    binary: false,
  } as const
  return { path, ...plain, ...rest }
}
const removed = { status: 'deleted', newMode: '000000', bytes: 0 } as const
const added = { status: 'added', oldMode: '000000' } as const
const rulesOf = (...changes: Change[]) => gate(changes).map(({ rule }) => rule)

test('what a routine may change is a rule beside what is protected', () => {
  const rules = { maxFiles: 2, maxBytes: 15, mayChange: (path: string) => path.startsWith('src/') }
  const found = gate([change('src/a.ts'), change('SRC/b.ts'), change('src/.github/workflows/x.yml')], rules)
  expect(found.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([
    'files: 3 files are changed; up to 2 pass',
    'bytes: 0.0 MiB of content is new; up to 0.0 MiB pass',
    'paths: "SRC/b.ts" is outside the paths of this routine',
    'workflow: "src/.github/workflows/x.yml" is run by the forge or a build system',
  ])
})

describe('what passes', () => {
  test.each([
    'README.md',
    'src/index.ts',
    'docs/agents/guide.md',
    '.gitignore',
    'packages/a/.gitkeep',
    '.github/ISSUE_TEMPLATE/bug.md',
    'src/claude.ts',
    'src/workflows/run.ts',
    'lib/github/workflows.md',
    'Übersicht/café €.txt',
    'a b/c (1).txt',
    'package.json',
    'pnpm-workspace.yaml',
    'gradle/libs.versions.toml',
    '.yarn/cache/x.txt',
    'src/gradle',
    'docs/zed.md',
  ])('%s', (path) => {
    expect(gate([change(path), change(path, added), change(path, removed)])).toEqual([])
  })

  test('100 files and 4 MiB, a removed link, a removed executable', () => {
    const many = Array.from({ length: 100 }, (_, index) => change(`src/${index}.ts`, { bytes: 41_943 }))
    expect(gate(many)).toEqual([])
    expect(
      gate([change('link', { ...removed, oldMode: '120000' }), change('run.sh', { ...removed, oldMode: '100755' })]),
    ).toEqual([])
    expect(gate([change('run.sh', { oldMode: '100755', newMode: '100755' })])).toEqual([])
  })

  test.each(['logo.png', 'a/LOGO.PNG', 'font.woff2', 'film.min.mp4'])('%s, which is meant to be binary', (path) => {
    expect(gate([change(path, { binary: true }), change(path, { ...added, binary: true })])).toEqual([])
  })

  test('a binary file that is removed, of any name', () => {
    expect(gate([change('a.ts', { ...removed, binary: true })])).toEqual([])
  })
})

const protectedPaths: [string, string][] = [
  ['.github/workflows/ci.yml', 'workflow'],
  ['.github/workflows', 'workflow'],
  ['.github', 'workflow'],
  ['.github/actions/build/action.yml', 'workflow'],
  ['.gitlab-ci.yml', 'workflow'],
  ['.circleci/config.yml', 'workflow'],
  ['Jenkinsfile', 'workflow'],
  ['.claude/settings.json', 'agent_settings'],
  ['.claude', 'agent_settings'],
  ['.mcp.json', 'agent_settings'],
  ['.codex/config.toml', 'agent_settings'],
  ['.cursor/rules/a.mdc', 'agent_settings'],
  ['.gemini/settings.json', 'agent_settings'],
  ['AGENTS.md', 'agent_settings'],
  ['packages/a/AGENTS.md', 'agent_settings'],
  ['CLAUDE.md', 'agent_settings'],
  ['CLAUDE.local.md', 'agent_settings'],
  ['.github/copilot-instructions.md', 'agent_settings'],
  ['.github/instructions/a.instructions.md', 'agent_settings'],
  ['.husky/pre-commit', 'hooks'],
  ['.githooks/pre-push', 'hooks'],
  ['.gitmodules', 'hooks'],
  ['.gitattributes', 'hooks'],
  ['deep/down/.gitattributes', 'hooks'],
  ['.gitconfig', 'hooks'],
  ['.vscode/tasks.json', 'hooks'],
  ['.pre-commit-config.yaml', 'hooks'],
  ['.idea/workspace.xml', 'hooks'],
  ['.npmrc', 'tools'],
  ['packages/a/.yarnrc.yml', 'tools'],
  ['bunfig.toml', 'tools'],
  ['uv.toml', 'tools'],
  ['pip.conf', 'tools'],
  ['src/NuGet.Config', 'tools'],
  ['services/a/poetry.toml', 'tools'],
  ['.ripgreprc', 'tools'],
  ['action.yml', 'workflow'],
  ['build/action.yaml', 'workflow'],
  ['.github/dependabot.yml', 'workflow'],
  ['.github/x/.github/workflows/ci.yml', 'workflow'],
  ['.cirrus.yml', 'workflow'],
  ['appveyor.yml', 'workflow'],
  ['buildspec.yml', 'workflow'],
  ['cloudbuild.yaml', 'workflow'],
  ['.semaphore/semaphore.yml', 'workflow'],
  ['.teamcity/settings.kts', 'workflow'],
  ['AGENT.md', 'agent_settings'],
  ['.rules', 'agent_settings'],
  ['.claude-plugin/marketplace.json', 'agent_settings'],
  ['.github/skills/a/SKILL.md', 'agent_settings'],
  ['.github', 'agent_settings'],
  ['.kilocode/rules/a.md', 'agent_settings'],
  ['.rovodev/config.yml', 'agent_settings'],
  ['.github/copilot/settings.json', 'agent_settings'],
  ['CODEX.md', 'agent_settings'],
  ['.bundle/config', 'tools'],
  ['.bazelrc', 'tools'],
  ['.amazonq/rules/a.md', 'agent_settings'],
  ['.zed/tasks.json', 'hooks'],
  ['lefthook.yaml', 'hooks'],
  ['.lefthook.yaml', 'hooks'],
  ['.lfsconfig', 'tools'],
  ['.pnpmfile.mjs', 'tools'],
  ['.cargo/config.toml', 'tools'],
  ['mise.toml', 'tools'],
  ['.mise.toml', 'tools'],
  ['.mvn/extensions.xml', 'tools'],
  ['.yarn/releases/yarn-4.cjs', 'tools'],
  ['.yarn/plugins/x.cjs', 'tools'],
  ['.yarn', 'tools'],
  ['gradle/wrapper/gradle-wrapper.properties', 'tools'],
  ['CODEOWNERS', 'owners'],
  ['docs/CODEOWNERS', 'owners'],
  ['.github/CODEOWNERS', 'owners'],
]

describe('what a person looks at first', () => {
  test.each(protectedPaths)('%s: %s, whether added, changed or removed', (path, rule) => {
    expect(rulesOf(change(path))).toContain(rule)
    expect(rulesOf(change(path, added))).toContain(rule)
    expect(rulesOf(change(path, removed))).toContain(rule)
  })

  const twins: [string, string, string][] = [
    ['case', '.GitHub/WorkFlows/ci.yml', 'workflow'],
    ['full width', '.ｇithub/workflows/ci.yml', 'workflow'],
    ['full stop of full width', '．github/workflows/ci.yml', 'workflow'],
    ['zero-width joiner', '.git\u200Dhub/workflows/ci.yml', 'workflow'],
    ['byte order mark', '\uFEFF.claude/settings.json', 'agent_settings'],
    ['soft hyphen', 'CODE\u00ADOWNERS', 'owners'],
    ['decomposed', '.cu\u0301rsor/rules', 'agent_settings'],
    ['composed', '.c\u00FArsor/rules', 'agent_settings'],
    ['Kelvin sign', '.hus\u212Ay/pre-commit', 'hooks'],
    ['long s', '.hu\u017Fky/pre-commit', 'hooks'],
    ['dotless i', '.g\u0131thub/workflows/ci.yml', 'workflow'],
    ['dotted capital I', '.G\u0130THUB/workflows/ci.yml', 'workflow'],
    ['trailing dot', '.github./workflows /ci.yml', 'workflow'],
    ['a stream', 'CLAUDE.md::$DATA', 'agent_settings'],
    ['backslashes', String.raw`.github\workflows\ci.yml`, 'workflow'],
    ['going up', 'a/.github/../.github/workflows/ci.yml', 'workflow'],
    ['going up into it', 'src/../AGENTS.md', 'agent_settings'],
    ['variation selector', 'AGENTS\uFE0F.md', 'agent_settings'],
    ['tag characters', 'AGENTS\u{E0041}.md', 'agent_settings'],
    ['ligature', '.conﬁg/../.githooks/x', 'hooks'],
  ]
  test.each(twins)('twin by %s', (_, path, rule) => {
    expect(rulesOf(change(path))).toContain(rule)
  })

  test.each([
    ['../outside', 'path'],
    ['a/../b', 'path'],
    ['a//b', 'path'],
    ['/etc/passwd', 'path'],
    ['.git/config', 'path'],
    ['sub/.GIT/hooks/x', 'path'],
    ['.g\u200Cit/config', 'path'],
    ['git~1/config', 'path'],
    ['CLAUDE~1.MD', 'path'],
    ['a\nb', 'path'],
    ['deep/'.repeat(65) + 'file', 'path'],
    ['evil\u202Etxt.exe', 'path'],
    ['bad\uFFFDbytes', 'path'],
  ])('%j: %s', (path, rule) => {
    expect(rulesOf(change(path, added))).toContain(rule)
  })

  test.each<[string, Partial<Change>, string]>([
    ['a new link', { ...added, newMode: '120000' }, 'symlink'],
    ['a changed link', { oldMode: '120000', newMode: '120000' }, 'symlink'],
    ['a file becomes a link', { status: 'type_changed', newMode: '120000' }, 'symlink'],
    ['a link becomes a file', { status: 'type_changed', oldMode: '120000' }, 'symlink'],
    ['a new submodule', { ...added, newMode: '160000' }, 'submodule'],
    ['a moved submodule', { oldMode: '160000', newMode: '160000' }, 'submodule'],
    ['a removed submodule', { ...removed, oldMode: '160000' }, 'submodule'],
    ['becomes executable', { newMode: '100755' }, 'mode'],
    ['a new executable', { ...added, newMode: '100755' }, 'mode'],
    ['a link becomes an executable', { oldMode: '120000', newMode: '100755' }, 'symlink'],
    ['no longer executable', { oldMode: '100755' }, 'mode'],
    ['a mode of its own', { newMode: '100666' }, 'mode'],
  ])('%s', (_, rest, rule) => {
    expect(rulesOf(change('src/a', rest))).toEqual([rule])
  })

  test.each(['src/a.ts', 'a.png.js', 'png', '.png/a', 'a.zip', 'a.wasm', 'a.exe', 'a.svg', 'a.pdf', 'bun.lockb'])(
    '%s, when people are shown nothing of it',
    (path) => {
      expect(rulesOf(change(path, { binary: true }))).toEqual(['binary'])
      expect(rulesOf(change(path, { ...added, binary: true }))).toEqual(['binary'])
    },
  )

  test('101 files; one byte over 4 MiB', () => {
    expect(rulesOf(...Array.from({ length: 101 }, (_, index) => change(`${index}`)))).toEqual(['files'])
    expect(rulesOf(change('a', { bytes: 4 * 1024 * 1024 + 1 }))).toEqual(['bytes'])
    expect(gate([change('a', { bytes: 6 * 1024 * 1024 })])[0]!.message).toBe(
      '6.0 MiB of content is new; up to 4.0 MiB pass',
    )
  })

  test('a rename out of a protected place is a removal there', () => {
    expect(rulesOf(change('.github/workflows/ci.yml', removed), change('ci.yml', added))).toEqual(['workflow'])
  })
})

describe('properties', () => {
  const unseen = constantFrom(
    '\u200B',
    '\u200D',
    '\u00AD',
    '\uFEFF',
    '\u2060',
    '\uFE0F',
    '\u{E0001}',
    '\u0301',
    '\u180E',
  )
  const wide = (letter: string) =>
    /[!-~]/.test(letter) ? String.fromCodePoint(letter.codePointAt(0)! + 0xfee0) : letter
  const spelling = (letter: string) =>
    letter === '/' ? constant('/') : constantFrom(letter, letter.toUpperCase(), letter.toLowerCase(), wide(letter))
  const mangled = (path: string) =>
    tuple(...Array.from(path).map((letter) => tuple(spelling(letter), option(unseen, { nil: '', freq: 6 })))).map(
      (letters) => letters.map(([letter, extra]) => (letter === '/' ? '/' : letter + extra)).join(''),
    )

  test('every spelling of a protected path is found', () => {
    const any = constantFrom(...protectedPaths).chain(([path, rule]) => tuple(mangled(path), constant(rule)))
    assert(
      property(any, ([path, rule]) => {
        expect(rulesOf(change(path))).toContain(rule)
      }),
      { numRuns: 3000 },
    )
  })

  test('one more change never takes a finding away, and order means nothing', () => {
    const path = oneof(
      constantFrom(...protectedPaths.map(([path]) => path)),
      string({ unit: 'grapheme', minLength: 1 }),
    )
    const mode = constantFrom('100644', '100755', '120000', '160000')
    const some = record({ path, newMode: mode, oldMode: mode }).map(({ path, ...modes }) => change(path, modes))
    const keyOf = (changes: Change[]) => gate(changes).map(({ rule, path }) => `${rule} ${path}`)
    assert(
      property(array(some, { maxLength: 6 }), some, (changes, more) => {
        const after = new Set(keyOf([more, ...changes.toReversed()]))
        expect(keyOf(changes).filter((finding) => !after.has(finding))).toEqual([])
      }),
    )
  })
})

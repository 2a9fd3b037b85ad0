import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openTree } from './run-program.ts'

const list = (...lines: string[]) => ['<!-- contents -->', '', ...lines, '', '<!-- /contents -->'].join('\n')
const empty = '<!-- contents -->\n<!-- /contents -->'

/** What becomes of the list of a document that is nothing but markers and `body`. */
async function listOf(body: string, inputs: Record<string, unknown> = {}): Promise<string[]> {
  await using tree = await openTree({ 'a.md': `${empty}\n\n${body}` })
  const { code, stderr } = await tree.run('contents-list', inputs)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const text = await tree.read('a.md')
  expect(text.endsWith(`<!-- /contents -->\n\n${body}`)).toBe(true)
  return text
    .slice(0, text.indexOf('<!-- /contents -->'))
    .split('\n')
    .filter((line) => /^ *- /.test(line))
}

describe('which headings, and how', () => {
  const cases: [what: string, body: string, lines: string[]][] = [
    ['nested by level', '## A\n### B\n### C\n## D\n', ['- [A](#a)', '  - [B](#b)', '  - [C](#c)', '- [D](#d)']],
    ['levels that a person left out', '# A\n### B\n## C\n', ['- [A](#a)', '  - [B](#b)', '  - [C](#c)']],
    ['not below the deepest level', '## A\n#### B\n', ['- [A](#a)']],
    ['underlined headings', 'A\n===\n\nB\nand more\n---\n', ['- [A](#a)', '  - [B and more](#b-and-more)']],
    ['what only looks underlined', '- a\n---\n\n> b\n---\n\n---\n\n| a |\n|---|\n', []],
    ['closing marks and spaces', '##   A   ##  \n## C#\n##\tT\n', ['- [A](#a)', '- [C#](#c)', '- [T](#t)']],
    ['no heading without a space, and not when indented as code', '##A\n    ## B\n   ## C\n', ['- [C](#c)']],
    ['empty headings are not listed', '##\n## ##\n## A\n', ['- [A](#a)']],
    [
      'nothing inside fences',
      '```sh\n## no\n~~~\n## no\n```\n~~~~\n```\n## no\n~~~\n## no\n~~~~\n## A\n',
      ['- [A](#a)'],
    ],
    ['a fence that is never closed', '## A\n```\n## no\n', ['- [A](#a)']],
    ['inline code that begins with three marks', '```not a fence```\n## A\n', ['- [A](#a)']],
    [
      'nothing inside HTML',
      '<!--\n## no\n\n## no\n-->\n## A\n<pre>\n\n## no\n</pre>\n<div>\n## no\n\n## B\n</div>\n',
      ['- [A](#a)', '- [B](#b)'],
    ],
    [
      'umlauts, other scripts, pictures',
      '## Über uns\n## Größe & Maß\n## 日本語 です\n## 🚀 Start\n## Élan vital!\n',
      [
        '- [Über uns](#über-uns)',
        '- [Größe & Maß](#größe--maß)',
        '- [日本語 です](#日本語-です)',
        '- [🚀 Start](#-start)',
        '- [Élan vital!](#élan-vital)',
      ],
    ],
    [
      'the same words again',
      '## Foo\n## Foo\n## Foo 1\n## foo\n',
      ['- [Foo](#foo)', '- [Foo](#foo-1)', '- [Foo 1](#foo-1-1)', '- [foo](#foo-2)'],
    ],
    [
      'code, emphasis and snakes',
      '## The `foo_bar()` *call* of __init__\n## snake_case _really_\n## `<div>`\n',
      [
        '- [The `foo_bar()` *call* of __init__](#the-foo_bar-call-of-init)',
        '- [snake_case _really_](#snake_case-really)',
        '- [`<div>`](#div)',
      ],
    ],
    [
      'links and images',
      '## See [the *docs*](https://example.org/a_(b)) ![x](y.png)\n## [Ref][1]\n',
      ['- [See the *docs*](#see-the-docs-)', '- [Ref](#ref)'],
    ],
    ['brackets', '## Array[0]\n## a ] b\n', ['- [Array[0]](#array0)', '- [a \\] b](#a--b)']],
    ['HTML and entities', '## A <sup>new</sup> Q&amp;A\n', ['- [A <sup>new</sup> Q&amp;A](#a-new-qa)']],
  ]
  test.each(cases)('%s', async (_, body, lines) => {
    expect(await listOf(body)).toEqual(lines)
  })

  test('the deepest level is an input', async () => {
    expect(await listOf('# A\n## B\n###### C\n', { deepest: 6 })).toEqual(['- [A](#a)', '  - [B](#b)', '    - [C](#c)'])
    expect(await listOf('# A\n## B\n', { deepest: 1 })).toEqual(['- [A](#a)'])
  })
})

describe('what is written', () => {
  test('only between the markers; headings above count for the numbering alone', async () => {
    const before = `---\ntitle: x\n---\n# Title\n## A\n${empty}\ntext\n## A\n`
    await using tree = await openTree({ 'a.md': before })
    expect(await tree.run('contents-list')).toMatchObject({
      code: 0,
      headline: 'Rebuilt the contents of a.md',
      stderr: '',
    })
    expect(await tree.read('a.md')).toBe(before.replace(empty, list('- [A](#a-1)')))
  })

  test('a second run changes nothing and says so', async () => {
    await using tree = await openTree({ 'a.md': `${empty}\n## A\n`, 'docs/b.md': `${empty}\n## B\n` })
    expect(await tree.run('contents-list')).toMatchObject({ code: 0, headline: 'Rebuilt the contents of 2 files' })
    const after = await tree.readAll()
    expect(await tree.run('contents-list')).toMatchObject({
      code: 0,
      headline: 'Every list of contents was up to date',
    })
    expect(await tree.readAll()).toEqual(after)
  })

  test('a list whose headings are gone becomes empty', async () => {
    await using tree = await openTree({ 'a.md': `${list('- [Old](#old)')}\n\ntext\n` })
    await tree.run('contents-list')
    expect(await tree.read('a.md')).toBe(`${empty}\n\ntext\n`)
  })

  test('line ends, a byte order mark and a missing last line end stay as they are', async () => {
    await using tree = await openTree({
      'a.md': '\uFEFF# T\r\n<!-- toc -->\r\n- old\r\n<!-- tocstop -->\r\n## A\r\n### B',
    })
    await tree.run('contents-list')
    expect(await tree.read('a.md')).toBe(
      '\uFEFF# T\r\n<!-- toc -->\r\n\r\n- [A](#a)\r\n  - [B](#b)\r\n\r\n<!-- tocstop -->\r\n## A\r\n### B',
    )
  })

  const leftAlone = {
    'no markers': '# A\n## B\n',
    'markers in a fence': `\`\`\`md\n${empty}\n\`\`\`\n## A\n`,
    'markers in a sentence': 'Write `<!-- contents -->` and <!-- /contents --> here.\n## A\n',
    'an end alone': '<!-- /contents -->\n## A\n',
  }
  test.each(Object.entries(leftAlone))('left alone: %s', async (_, text) => {
    await using tree = await openTree({ 'a.md': text })
    expect(await tree.run('contents-list')).toMatchObject({
      code: 0,
      headline: 'Every list of contents was up to date',
      stderr: '',
    })
    expect(await tree.read('a.md')).toBe(text)
  })

  test('a missing end marker is said with its place, and nothing is cut', async () => {
    const text = '# T\n<!-- contents -->\n- old\n## A\n'
    await using tree = await openTree({ 'a.md': text })
    expect(await tree.run('contents-list')).toMatchObject({
      code: 0,
      stderr: 'a.md:2: the end marker <!-- /contents --> is missing, left alone\n',
    })
    expect(await tree.read('a.md')).toBe(text)
  })

  test('bytes that are no UTF-8 are not touched', async () => {
    const bytes = Buffer.concat([Buffer.from(`${empty}\n## A\n`), Buffer.from([0xfc, 0x0a])])
    await using tree = await openTree({ 'latin.md': bytes })
    expect(await tree.run('contents-list')).toMatchObject({ code: 0, stderr: 'latin.md: not UTF-8, left alone\n' })
    expect(await readFile(join(tree.tree, 'latin.md'))).toEqual(bytes)
  })

  test('the scope is a folder or a file, and never outside the repository', async () => {
    await using tree = await openTree({
      'a.md': `${empty}\n## A\n`,
      'docs/b.md': `${empty}\n## B\n`,
      'node_modules/x/c.md': `${empty}\n## C\n`,
    })
    expect(await tree.run('contents-list', { scope: 'docs' })).toMatchObject({
      headline: 'Rebuilt the contents of docs/b.md',
    })
    expect(await tree.run('contents-list', { scope: './a.md' })).toMatchObject({
      headline: 'Rebuilt the contents of a.md',
    })
    expect(await tree.read('node_modules/x/c.md')).toBe(`${empty}\n## C\n`)
    for (const scope of ['..', '../..', '/etc', 'nowhere']) {
      expect(await tree.run('contents-list', { scope })).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `scope: there is no ${JSON.stringify(scope)} in the repository\n`,
      })
    }
  })

  test('links are not followed, neither to files nor as the scope', async () => {
    await using outside = await openTree({ 'docs/a.md': `${empty}\n## A\n` })
    await using tree = await openTree({ 'b.md': 'text\n' })
    await symlink(join(outside.tree, 'docs'), join(tree.tree, 'docs'))
    await symlink(join(outside.tree, 'docs/a.md'), join(tree.tree, 'a.md'))
    expect(await tree.run('contents-list')).toMatchObject({
      code: 0,
      headline: 'Every list of contents was up to date',
    })
    expect(await tree.run('contents-list', { scope: 'docs' })).toMatchObject({ code: 1 })
    expect(await outside.read('docs/a.md')).toBe(`${empty}\n## A\n`)
  })
})

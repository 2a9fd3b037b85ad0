import { execFileSync } from 'node:child_process'
import { closeSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Added, readAdded } from '../../src/checkout/added-text.ts'
import { createInspection } from '../../src/checkout/inspection.ts'
import type { Quarantine } from '../../src/checkout/quarantine.ts'
import { createRedaction } from '../../src/secrets/redaction.ts'
import { type Files, writeFiles } from '../support/git-repository.ts'
import { openCheckout } from '../support/open-checkout.ts'

const value = 'kx-Zq7Lw9mT4vR2pY8'
const base64 = Buffer.from(`user:${value}`).toString('base64')
const redaction = createRedaction()
redaction.learn({ name: 'DEPLOY', value })
const inspect = createInspection(redaction)
const rules = { maxFiles: 100, maxBytes: 4 * 1024 * 1024, mayChange: () => true }

type Opened = Awaited<ReturnType<typeof openCheckout>>
async function inspectAfter(before: Files, change: (tree: string, opened: Opened) => void) {
  using opened = await openCheckout({ files: before })
  change(opened.checkout.tree, opened)
  await using quarantine = await opened.openPatch((await opened.collect())!)
  const { findings } = await inspect(quarantine, rules, opened.signal)
  return findings
}
const contentRules = new Set(['secret', 'unseen', 'mixed_script', 'unread'])

describe('what a change adds', () => {
  test('a secret counts where it is added, and nowhere else', async () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`)
    const before = { 'was.txt': `${value}\n${lines.join('')}`, 'gone.txt': value, 'b.bin': `\0${value}\0`, kept: 'x' }
    const findings = await inspectAfter(before, (tree) => {
      writeFiles(tree, {
        'was.txt': `${value}\n${lines.with(20, `now ${value}\n`).join('')}`,
        'b.bin': `\0${value}\0and more\n`,
        'c.bin': `\0\u00ff\n${value}\0`,
        'encoded.json': `{"a":\n"${base64}"}`,
        'no end': `a\n++ ${value}`,
        [`${value}.txt`]: 'x',
        'fine.txt': '--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\ndiff --git a/x b/x\n',
      })
      execFileSync('rm', [join(tree, 'gone.txt'), join(tree, 'kept')])
      symlinkSync(`../${value}`, join(tree, 'kept'))
    })
    const said = findings.filter(({ rule }) => contentRules.has(rule)).map(({ rule, message }) => `${rule}: ${message}`)
    const added = 'adds the value of the secret DEPLOY'
    expect(said).toEqual([
      `secret: the name "${value}.txt" holds the value of the secret DEPLOY`,
      `secret: "b.bin" line 1 ${added}`,
      `secret: "c.bin" line 2 ${added}`,
      `secret: "encoded.json" line 2 ${added}`,
      `secret: "kept" line 1 ${added}`,
      `secret: "no end" line 2 ${added}`,
      `secret: "was.txt" line 22 ${added}`,
    ])
  })

  test('tokens, unseen characters and letters that look alike are told with their lines; once a file', async () => {
    const findings = await inspectAfter({}, (tree) => {
      writeFiles(tree, {
        'a.ts': `\ufeff// שלום 👩\u200d💻\nlet x = 1\u200b\nlet y\u202e\n`,
        'b.ts': `é\nis\u0410dmin\n`,
        'c.ts': `${['gh', 'p_0123456789abcdefghijABCDEFGHIJ012345'].join('')}\n`.repeat(3),
        'd.ts': 'one\nif (user !== "admin\u202e \u2066// check\u2069") {} // \0\n',
        'f.png': `\u2066\0`,
        'sc\u043epe': 'x',
      })
      // A soft hyphen by chance, in bytes that are no text.
      writeFileSync(join(tree, 'e.dat'), Buffer.from('00ffc2ad0a', 'hex'))
    })
    const binary = (path: string) => ({
      rule: 'binary',
      path,
      message: `"${path}" is binary for git: people are shown nothing of what it adds`,
    })
    expect(findings).toEqual([
      binary('d.ts'),
      binary('e.dat'),
      { rule: 'mixed_script', path: 'sc\u043epe', message: 'the name "sc\u043epe" mixes letters that look alike' },
      { rule: 'unseen', path: 'a.ts', message: '"a.ts" line 2 adds U+200B, which nobody sees' },
      {
        rule: 'mixed_script',
        path: 'b.ts',
        message: '"b.ts" line 2 adds "is\u0410dmin", which mixes letters that look alike',
      },
      { rule: 'secret', path: 'c.ts', message: '"c.ts" line 1 adds what looks like a GitHub token' },
      { rule: 'unseen', path: 'd.ts', message: '"d.ts" line 2 adds U+202E, which turns the direction of text' },
      { rule: 'unseen', path: 'f.png', message: '"f.png" line 1 adds U+2066, which turns the direction of text' },
    ])
  })

  test('a text with NUL is looked through in all its parts, wherever a character is cut', async () => {
    for (const shift of [0, 1, 2]) {
      const text = `\0${'x'.repeat(shift)}${'€'.repeat(500_000)}\u202e`
      const findings = await inspectAfter({}, (tree) => writeFiles(tree, { 'a.ts': text }))
      expect(findings.map(({ rule }) => rule)).toEqual(['binary', 'unseen'])
    }
  })

  test('one line of 50 MB is looked through in bounded memory, to its end', async () => {
    const before = process.memoryUsage().rss
    const findings = await inspectAfter({}, (tree) => {
      const file = openSync(join(tree, 'long.txt'), 'w')
      for (let count = 0; count < 50; count += 1) writeSync(file, 'lorem ipsum dolor sit amet, '.repeat(37_450))
      writeSync(file, value)
      closeSync(file)
    })
    expect(findings.map(({ rule }) => rule)).toEqual(['bytes', 'binary', 'secret'])
    expect(findings[2]!.message).toBe('"long.txt" line 1 adds the value of the secret DEPLOY')
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024)
  })

  test('what is more than can be looked through is said, and was looked through up to there', async () => {
    const { signal } = new AbortController()
    using opened = await openCheckout()
    writeFiles(opened.checkout.tree, { a: value, b: 'lorem ipsum\n'.repeat(100_000), c: value })
    await using quarantine = await opened.openPatch((await opened.collect())!)
    const { findings } = await createInspection(redaction, 1024 * 1024)(quarantine, rules, signal)
    expect(findings.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([
      'secret: "a" line 1 adds the value of the secret DEPLOY',
      'unread: what the change adds was not looked through in full: only its first 1 MiB were',
    ])
  })

  test('many findings of one rule hide none of another, and are no more than are read', async () => {
    const findings = await inspectAfter({}, (tree) => {
      const links = Array.from({ length: 300 }, (_, index) => `link-${index}`)
      for (const name of links) symlinkSync('README.md', join(tree, name))
      writeFiles(tree, { 'z/.github/workflows/x.yml': 'x', 'z/key': value })
    })
    const rules = Map.groupBy(findings, ({ rule }) => rule)
    expect([...rules].map(([rule, { length }]) => [rule, length])).toEqual([
      ['files', 1],
      ['symlink', 50],
      ['workflow', 1],
      ['secret', 1],
      ['more', 1],
    ])
    expect(findings.at(-1)!.message).toBe('and 250 more findings')
  })

  test('many findings are fifty and a number', async () => {
    const findings = await inspectAfter({}, (tree) => {
      for (let count = 0; count < 60; count += 1) writeFileSync(join(tree, `${count}`), value)
    })
    expect(findings).toHaveLength(51)
    expect(findings[50]).toEqual({ rule: 'more', path: null, message: 'and 10 more findings' })
  })
})

describe('a gate that cannot look says so', () => {
  const quarantine = (rest: Partial<Quarantine>) => ({ changes: async () => [], ...rest }) as Quarantine
  const { signal } = new AbortController()

  test('git that fails, a diff that is none, a search that throws', async () => {
    const broken = async () => Promise.reject(new Error('git diff-tree: out of memory'))
    expect((await inspect(quarantine({ readAdded: broken }), rules, signal)).findings).toEqual([
      {
        rule: 'unread',
        path: null,
        message: expect.stringMatching(/in full: git diff-tree: out of memory$/) as string,
      },
    ])
    const odd = async (each: (chunk: Buffer) => void) => {
      each(Buffer.from('diff --git a/x b/x\n@@ -0,0 +1 @@\n+x\n'))
      return { cut: false }
    }
    expect((await inspect(quarantine({ readAdded: odd }), rules, signal)).findings[0]!.rule).toBe('unread')
    using opened = await openCheckout()
    writeFiles(opened.checkout.tree, { a: 'x' })
    await using real = await opened.openPatch((await opened.collect())!)
    const failing = createInspection({
      find: (bytes) => {
        if (bytes.length > 1) throw new Error('out of bounds')
        return redaction.find(bytes)
      },
    })
    expect((await failing(real, rules, signal)).findings).toEqual([
      { rule: 'unread', path: null, message: expect.stringMatching(/in full: out of bounds$/) as string },
    ])
  })

  test('a run that is stopped gets no finding', async () => {
    const stop = new AbortController()
    const readAdded = async () => {
      stop.abort()
      return Promise.reject(new Error('killed'))
    }
    await expect(inspect(quarantine({ readAdded }), rules, stop.signal)).rejects.toThrow(/abort/i)
  })
})

test('a diff is read the same, however it is cut', () => {
  const diff = Buffer.from(
    [
      'diff --git a/a b/a',
      'index 1..2 100644',
      '--- a/a',
      '+++ b/a',
      '@@ -1,2 +1,2 @@ +++ b/fake',
      '-@@ -1 +1 @@',
      '-diff --git a/x b/x',
      '++++ b/other',
      '+',
      '@@ -9 +8,0 @@',
      '-x',
      '@@ -20,0 +19 @@',
      '+é',
      String.raw`\ No newline at end of file`,
      'diff --git a/mode b/mode',
      'old mode 100644',
      'new mode 100755',
      'diff --git a/c b/c',
      '@@ -0,0 +1,2 @@',
      '+1',
      '+2',
      '',
    ].join('\n'),
  )
  const read = (chunks: Buffer[]) => {
    const added: Added[] = []
    const reader = readAdded(['a', 'mode', 'c'], (part) => added.push(part))
    chunks.forEach((chunk) => reader.push(chunk))
    reader.end()
    return added.map(({ bytes, ...rest }) => ({ ...rest, text: bytes.toString() }))
  }
  const whole = [
    { path: 'a', line: 1, text: '+++ b/other\n\n' },
    { path: 'a', line: 19, text: 'é\n' },
    { path: 'c', line: 1, text: '1\n2\n' },
  ]
  expect(read([diff])).toEqual(whole)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (lengths) => {
      const chunks: Buffer[] = []
      for (let [at, turn] = [0, 0]; at < diff.length; turn += 1) {
        const length = lengths[turn % lengths.length]!
        chunks.push(diff.subarray(at, at + length))
        at += length
      }
      expect(read(chunks)).toEqual(whole)
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keysOf, type BaseFile, type KeyedStep } from '../../../src/checkout/setup/key.ts'

const file = (path: string, id = path, mode = '100644'): BaseFile => ({ mode, id, path })
const files = [file('lock'), file('src/a'), file('src/b')]
const step = (more: Partial<KeyedStep> = {}): KeyedStep => ({
  argv: ['npm', 'ci'],
  keep: ['deps'],
  decides: (path) => path === 'lock',
  ...more,
})
const keys = (steps: readonly KeyedStep[], ground = ['shop'], of: readonly BaseFile[] = files) =>
  keysOf(steps, ground, of).map((key) => key && ('key' in key ? key.key : key.why))

describe('what a result is kept as', () => {
  test('is the same for the same, whatever else is in the base', () => {
    expect(keys([step()])).toEqual(keys([step()], ['shop'], [file('lock'), file('src/a', 'changed'), file('new')]))
    expect(keys([step()])[0]).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each<[string, KeyedStep[], string[], BaseFile[]]>([
    ['the content of a file that decides', [step()], ['shop'], [file('lock', 'changed')]],
    ['its mode', [step()], ['shop'], [file('lock', 'lock', '100755')]],
    ['another file that decides', [step({ decides: () => true })], ['shop'], files],
    ['the command', [step({ argv: ['npm', 'install'] })], ['shop'], files],
    ['where its words end', [step({ argv: ['npm ci'] })], ['shop'], files],
    ['what is kept', [step({ keep: ['deps', '~/.npm'] })], ['shop'], files],
    ['the ground', [step()], ['another'], files],
    ['where its parts end', [step()], ['sh', 'op'], files],
    ['a step before it', [step({ keep: [] }), step()], ['shop'], files],
  ])('is another one with %s', (_what, steps, ground, of) => {
    expect(keys(steps, ground, of).at(-1)).not.toBe(keys([step()])[0])
  })

  test('of two steps: what decides the first decides the second, and not the other way round', () => {
    const two = (of: BaseFile[]) => keys([step(), step({ decides: (path) => path === 'src/a' })], ['shop'], of)
    const [[first, second], changed, later] = [
      two(files),
      two([file('lock', 'new'), file('src/a')]),
      two([file('lock'), file('src/a', 'new')]),
    ]
    expect(changed[0]).not.toBe(first)
    expect(changed[1]).not.toBe(second)
    expect(later[0]).toBe(first)
    expect(later[1]).not.toBe(second)
  })

  test('is nothing where nothing is kept, or must not be', () => {
    expect(keys([step({ keep: [] })])).toEqual([null])
    expect(keys([step({ decides: () => false })])).toEqual(['no file of the base fits its when'])
    for (const path of ['src', 'src/a'])
      expect(keys([step({ keep: [path] })])).toEqual([`${path} holds files of the repository`])
    for (const mode of ['120000', '160000']) {
      const of = [file('lock'), file('packages', 'x', mode)]
      expect(keys([step({ keep: ['packages/deps'] })], ['shop'], of)).toEqual([
        'packages/deps lies behind a link or in a submodule',
      ])
    }
    expect(keys([step({ keep: ['~/src', 'srcs', 'sr'] })])[0]).toMatch(/^[0-9a-f]{64}$/)
  })

  test('whatever is changed that counts, the key is another one; whatever does not count, it is the same', () => {
    const word = fc.string({ maxLength: 6 })
    const written = fc.record({
      ground: fc.array(word, { maxLength: 3 }),
      argv: fc.array(word, { minLength: 1, maxLength: 3 }),
      keep: fc.array(
        word.map((path) => `~/${path}`),
        { minLength: 1, maxLength: 3 },
      ),
      deciding: fc.array(fc.record({ id: word, path: word }), { minLength: 1, maxLength: 3 }),
    })
    type W = typeof written extends fc.Arbitrary<infer T> ? T : never
    const keyOf = ({ ground, argv, keep, deciding }: W, others: string[] = []) =>
      keys([{ argv, keep, decides: (path) => path.startsWith('+') }], ground, [
        ...deciding.map(({ id, path }) => file(`+${path}`, id)),
        ...others.map((path) => file(`-${path}`)),
      ])[0]
    fc.assert(
      fc.property(written, written, fc.array(word), (a, b, others) => {
        expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
        expect(keyOf(a, others)).toBe(keyOf(a))
      }),
    )
  })
})

import { expect, test } from 'vitest'
import { lineOf, median, mediansOf } from './row.ts'

test('a line tells the figure, what it is beside, the ratio and the load', () => {
  const row = { what: 'one copy', unit: 'ms', figure: 400, beside: [{ what: 'by hand', figure: 1000 }] } as const
  expect(lineOf({ ...row, beside: [...row.beside] }, 1.25)).toMatch(
    /^one copy +400 ms {3}by hand: 1000 ms \(ours is ×0\.4\) · load 1\.3$/,
  )
})

test('the median is one of the values, and asks for one', () => {
  expect(median([5, 1, 9])).toBe(5)
  expect(() => median([])).toThrow('no median')
})

test('acts take turns', async () => {
  const order: string[] = []
  const act = (name: string) => async (round: number) => order.push(`${name}${round}`)
  const medians = await mediansOf(2, { a: act('a'), b: act('b') })
  expect(order).toEqual(['a0', 'b0', 'a1', 'b1'])
  expect(medians).toEqual({ a: 3, b: 4 })
})

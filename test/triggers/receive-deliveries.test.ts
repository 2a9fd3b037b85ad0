import { expect, test } from 'vitest'
import type { NewDelivery, Received } from '../../src/ledger/deliveries.ts'
import { createReceiver } from '../../src/triggers/receive-deliveries.ts'

const row = (key: string, bytes = 10): NewDelivery => ({
  source: 'github',
  key,
  event: 'push',
  headers: {},
  body: Buffer.alloc(bytes),
})

/** A ledger whose statements end when they are told to. */
function openSlow(mostWaiting: number) {
  const statements: ({ keys: string[] } & PromiseWithResolvers<void>)[] = []
  const receiveAll = async (rows: readonly NewDelivery[]): Promise<Received[]> => {
    const statement = { keys: rows.map(({ key }) => key), ...Promise.withResolvers<void>() }
    statements.push(statement)
    await statement.promise
    return rows.map(({ key }) => ({ id: key, fresh: true }))
  }
  const receiver = createReceiver({
    ledger: { deliveries: { receiveAll } as never },
    atOnce: 1,
    mostWaiting,
    received: () => {},
  })
  return { receiver, statements }
}

test('one alone is one statement; those that come meanwhile share the next one, and each gets its own answer', async () => {
  const { receiver, statements } = openSlow(100)
  const answers = ['a', 'b', 'c'].map((key) => receiver.receive(row(key)))
  expect(receiver.isBusy()).toBe(true)
  statements[0]!.resolve()
  await answers[0]
  statements[1]!.resolve()
  expect((await Promise.all(answers)).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(statements.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c']])
})

test('more than may wait is refused at once, to be sent again later; nothing of it is written', async () => {
  const { receiver, statements } = openSlow(3)
  const taken = ['a', 'b', 'c', 'd'].map((key) => receiver.receive(row(key)))
  await expect(receiver.receive(row('e'))).rejects.toMatchObject({ status: 503, retryable: true })
  statements[0]!.resolve()
  await taken[0]
  statements[1]!.resolve()
  await Promise.all(taken)
  expect(statements.flatMap(({ keys }) => keys)).toEqual(['a', 'b', 'c', 'd'])
})

test('so is more than fits into memory', async () => {
  const { receiver } = openSlow(100)
  const large = 24 * 1024 * 1024
  const waiting = ['a', 'b', 'c'].map((key) => receiver.receive(row(key, large)))
  await expect(receiver.receive(row('d', large))).rejects.toMatchObject({ status: 503 })
  expect(waiting.length).toBe(3)
})

test('a statement that fails is told to all in it, and the next ones go on', async () => {
  const { receiver, statements } = openSlow(100)
  const first = receiver.receive(row('a'))
  const second = receiver.receive(row('b'))
  statements[0]!.reject(new Error('away'))
  await expect(first).rejects.toThrow('away')
  statements[1]!.resolve()
  expect(await second).toEqual({ id: 'b', fresh: true })
})

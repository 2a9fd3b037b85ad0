import { describe, expect, test } from 'vitest'
import { createJournal } from '../../src/relay/journal.ts'

function open() {
  const told: string[] = []
  return { told, journal: createJournal((text) => told.push(text)) }
}

describe('what is told of the way out', () => {
  test('a refusal at once, and how often it came at the end', () => {
    const { told, journal } = open()
    for (let times = 0; times < 10_000; times += 1)
      journal.refused('evil.example', 'is not in the network of this routine')
    expect(told).toEqual(['network: refused evil.example: it is not in the network of this routine'])
    journal.close()
    expect(told.slice(1)).toEqual([
      'network: refused evil.example: it is not in the network of this routine (10,000 times in all)',
    ])
  })

  test('10,000 hosts that are refused are 20 lines and one', () => {
    const { told, journal } = open()
    for (let host = 0; host < 10_000; host += 1)
      journal.refused(`h${host}.example`, 'is not in the network of this routine')
    journal.close()
    expect(told).toHaveLength(21)
    expect(told.at(-1)).toBe('network: 9,980 more refusals, of others')
  })

  test('each host that was reached, once, with its bytes; 10,000 are 20 lines and one', () => {
    const { told, journal } = open()
    journal.reached('registry.example', { sent: 500, received: 1_200_000 })
    journal.reached('registry.example', { sent: 1500, received: 300_000 })
    journal.close()
    journal.close()
    expect(told).toEqual(['network: registry.example, 2 connections, 1.5 MB received, 2.0 kB sent'])

    const many = open()
    for (let host = 0; host < 10_000; host += 1) many.journal.reached(`h${host}.example`, { sent: 1, received: host })
    many.journal.close()
    expect(many.told).toHaveLength(21)
    expect(many.told[0]).toBe('network: others, 9000 connections, 49.5 MB received, 9.0 kB sent')
    expect(many.told.at(-1)).toMatch(/^network: 981 more hosts, 981 connections, /)
  })
})

import { randomBytes } from 'node:crypto'

/** Secrets that are planted: each holds the word of this test run and its own number, so that one search finds all and tells which. */
export type Canaries = {
  word: string
  /** A new one, of letters and digits; forty of them, so that it is base64, too. */
  plant(where: string): string
  /** Where they were planted, by their numbers. */
  places(): readonly string[]
}

export function createCanaries(): Canaries {
  const word = `cnry${randomBytes(6).toString('hex')}`
  const places: string[] = []
  return {
    word,
    plant(where) {
      places.push(where)
      const number = String(places.length - 1).padStart(2, '0')
      return word + number + randomBytes(11).toString('hex')
    },
    places: () => places,
  }
}

/** A program that looks for a word must not hold it. */
export const backwards = (word: string): string => word.split('').toReversed().join('')

declare global {
  /** Of Node since 21 (tc39.es/proposal-json-parse-with-source); the compiler's own library does not know them yet. */
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
    rawJSON(text: string): object
    isRawJSON(value: unknown): boolean
  }
}

/**
 * JSON whose numbers stay as they were written: an id of 19 digits would become another one as a number of this language. Of a key that
 * is there twice the last counts. Throws SyntaxError.
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value,
  )
}

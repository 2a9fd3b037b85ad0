/** A statement that carries more is slow to read for the server, and holds up everybody else in the embedded store. */
const most = { rows: 1000, bytes: 2 * 1024 * 1024 }

/** The rows as JSON lists of a bounded size, each for one statement: thousands of rows must not be thousands of round trips. */
export function* inBatches(rows: readonly unknown[]): Generator<string> {
  let batch: string[] = []
  let bytes = 0
  for (const row of rows) {
    const text = JSON.stringify(row)
    if (batch.length === most.rows || (batch.length > 0 && bytes + text.length > most.bytes)) {
      yield `[${batch.join()}]`
      ;[batch, bytes] = [[], 0]
    }
    batch.push(text)
    bytes += text.length
  }
  if (batch.length > 0) yield `[${batch.join()}]`
}

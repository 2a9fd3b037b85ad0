const nouns: Readonly<Record<string, string>> = {
  record: 'object',
  int: 'whole number',
  undefined: 'nothing',
  NaN: 'no number',
  items: 'entries',
}
const noun = (word: string) => nouns[word] ?? word
/** `"a"|"b"` is a list of what may be written. */
const listed = (options: string) => options.split(/"\s*\|\s*"/).join('", "')

type Sentence = { form: RegExp; says: (...parts: string[]) => string }
const bound =
  (word: string) =>
  (amount = '', unit = '') => {
    if (unit === '') return `must be ${word} ${amount}`
    return word === 'at least' && amount === '1' ? 'must not be empty' : `must have ${word} ${amount} ${noun(unit)}`
  }

/** Every sentence of the schema library's that our schemas can lead to; our own ones stay. */
const sentences: readonly Sentence[] = [
  {
    form: /^Invalid input: expected (\w+), received (\w+)$/,
    says: (expected = '', received = '') =>
      received === 'number' && expected === 'int'
        ? 'must be a whole number'
        : `must be of type ${noun(expected)}, and is ${noun(received)}`,
  },
  { form: /^Invalid input: expected (.+)$/, says: (only = '') => `must be ${only}` },
  { form: /^Invalid option: expected one of (.+)$/, says: (options = '') => `must be one of ${listed(options)}` },
  { form: /^Too small: expected \w+ to be >=(-?[\d.]+)$/, says: bound('at least') },
  { form: /^Too small: expected \w+ to be >(-?[\d.]+)$/, says: bound('more than') },
  { form: /^Too big: expected \w+ to be <=(-?[\d.]+)$/, says: bound('at most') },
  { form: /^Too small: expected \w+ to have >=(\d+) (\w+)$/, says: bound('at least') },
  { form: /^Too big: expected \w+ to have <=(\d+) (\w+)$/, says: bound('at most') },
  { form: /^Unrecognized keys?: (.+)$/, says: (keys = '') => `has what nobody reads: ${keys}` },
  { form: /^Invalid ISO datetime$/, says: () => 'must be a time such as 2026-11-21T09:00:00Z' },
  { form: /^Invalid URL$/, says: () => 'must be an address such as https://host/path' },
  { form: /^Invalid key in record$/, says: () => 'is no name that may be written here' },
  { form: /^Invalid string: must match pattern /, says: () => 'is not of the form that is expected' },
  { form: /^Invalid input$/, says: () => 'is of no kind that may be written here' },
]

/** What is wrong with a value, as people say it. */
export function inPlainWords(message: string): string {
  for (const { form, says } of sentences) {
    const found = form.exec(message)
    if (found) return says(...found.slice(1))
  }
  return message
}

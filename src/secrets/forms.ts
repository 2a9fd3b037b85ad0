/** Shorter values are words of ordinary text: who replaced them would garble what people read. */
export const leastBytes = 8
/** A line of a longer secret (a key in PEM, say) that may be told by itself. */
const leastLine = 16

/** How a value may be met in text: as it is, in JSON, in URLs, in hexadecimal, and in base64 wherever it begins in what was encoded. */
export function formsOf(value: string): Buffer[] {
  const parts = [value.trim(), ...linesOf(value)].filter((part) => Buffer.byteLength(part) >= leastBytes)
  const texts = parts.flatMap((part) => [part, ...jsonForms(part), ...urlForms(part), ...codeForms(Buffer.from(part))])
  // Texts are compared without their line ends, which wrapping programs move.
  const written = new Set(texts.map((text) => text.replaceAll(/[\r\n]/g, '')))
  return [...written].map((text) => Buffer.from(text)).filter((bytes) => bytes.length >= leastBytes)
}

/** A value that is not looked for as it is; none at all is no value. */
export function isTooShort(value: string): boolean {
  const bytes = Buffer.byteLength(value.trim().replaceAll(/[\r\n]/g, ''))
  return bytes > 0 && bytes < leastBytes
}

function linesOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line.length >= leastLine && !line.startsWith('-----'))
}

function jsonForms(text: string): string[] {
  const escapes: [what: RegExp, as: (code: string) => string][] = [
    [/\//g, () => String.raw`\/`],
    [/[<>&]/g, (code) => `\\u${code}`],
    [/[^\0-\x7f]/g, (code) => `\\u${code}`],
    [/\\u[\da-f]{4}/g, (code) => code.toUpperCase().replace('U', 'u')],
  ]
  // Writers of JSON differ in what they escape.
  const forms = escapes.reduce(
    (written, [what, as]) => written.flatMap((form) => [form, form.replaceAll(what, (unit) => as(codeOf(unit)))]),
    [JSON.stringify(text).slice(1, -1)],
  )
  // JSON is often told as a text of JSON.
  return [...new Set(forms)].flatMap((form) => [form, JSON.stringify(form).slice(1, -1)])
}

/** Four digits for one unit; what is an escape already stays as it is. */
function codeOf(unit: string): string {
  return unit.length > 1 ? unit : unit.charCodeAt(0).toString(16).padStart(4, '0')
}

/** What each way of encoding leaves as it is; RFC 3986, encodeURIComponent, forms (which write a space as +), paths. */
const unescaped = [/[\w.~-]/, /[\w.~!'()*-]/, /[\w.*-]/, /[\w.~!'()*;,/?:@&=+$#-]/]

function urlForms(text: string): string[] {
  const escaped = unescaped.flatMap((kept) => {
    const units = [...Buffer.from(text)].map((byte) => {
      const unit = String.fromCharCode(byte)
      return byte < 128 && kept.test(unit) ? unit : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    return [units.join(''), units.join('').replaceAll('%20', '+')]
  })
  return escaped.flatMap((form) => [form, form.replaceAll(/%[\dA-F]{2}/g, (code) => code.toLowerCase())])
}

function codeForms(bytes: Buffer): string[] {
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
    // Only the characters that hold nothing of what stands before and after the value.
    return whole.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6))
  })
  const url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))
  return [hex, hex.toUpperCase(), ...base64, ...url]
}

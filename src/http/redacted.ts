const mark = '[redacted]'
/** Not in the middle of a longer word; it also keeps every search linear in the length of the text. */
const begin = '(?<![A-Za-z0-9_-])'
/** Credentials that can be told by how they look. */
const shapes = [
  'gh[pousr]_[A-Za-z0-9._-]{20,600}',
  'github_pat_[A-Za-z0-9_]{20,300}',
  'glpat-[A-Za-z0-9_-]{20,100}',
  'xox[a-z]-[A-Za-z0-9-]{10,300}',
  'xapp-[A-Za-z0-9-]{10,300}',
  'sk-[A-Za-z0-9_-]{20,300}',
  '(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,300}',
  'whsec_[A-Za-z0-9+/=_-]{16,300}',
  '(?:AKIA|ASIA)[0-9A-Z]{16}',
  'AIza[A-Za-z0-9_-]{35}',
  'eyJ[A-Za-z0-9_-]{8,4000}\\.[A-Za-z0-9_-]{8,4000}\\.[A-Za-z0-9_-]{0,2000}',
]
const tokens = new RegExp(`${begin}(?:${shapes.join('|')})`, 'g')
const bearer = /(\bbearer\s{1,5})[A-Za-z0-9._~+/=-]{16,4000}/gi
const privateKey = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g
const inAddress = /(:\/\/[^/\s:@"]{0,64}:)[^/\s@"]{1,256}@/g
const named =
  '[\\w-]{0,40}(?:token|secret|password|passwd|api[_-]?key|private[_-]?key|authorization|credentials?|cookie)'
const inJson = new RegExp(`("${named}"\\s{0,8}:\\s{0,8})"(?:[^"\\\\]|\\\\.)+(?:"|$)`, 'gi')
const inForm = new RegExp(`((?:^|&)${named}=)[^&\\s]+`, 'gi')

/** The same text without what looks like a credential, or is called one. For people to read: the event itself is kept as it came. */
export function redacted(text: string): string {
  return text
    .replaceAll(privateKey, mark)
    .replaceAll(inJson, `$1"${mark}"`)
    .replaceAll(inForm, `$1${mark}`)
    .replaceAll(bearer, `$1${mark}`)
    .replaceAll(inAddress, `$1${mark}@`)
    .replaceAll(tokens, mark)
}

/** Headers that say something; what proves the sender is no news and could be used again. */
export function redactedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const shown = Object.entries(headers).filter(
    ([name]) => !/signature|authorization|cookie|token|secret|key$/i.test(name),
  )
  return Object.fromEntries(shown.map(([name, value]) => [name, redacted(value)]))
}

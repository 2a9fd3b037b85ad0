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
const signedIn =
  /(\bauthorization\s{0,3}[:=]\s{0,3}(?:basic|token|digest|negotiate|apikey)\s{1,5})[A-Za-z0-9._~+/=-]{1,4000}/gi
/** Whoever has such an address may write there; its slashes may be escaped. */
const slackHook = /(\bhooks\.slack(?:-gov)?\.com)(?:[\w-]|\\?\/|%2F)+/gi
const inAddress = /(:\/\/[^/\s:@"]{0,64}:)[^/\s@"]{1,256}@/g
const named = '[\\w-]{0,40}(?:token|secret|password|passwd|api[_-]?key|private[_-]?key|authorization|credential|cookie)'
const nameOfOne = new RegExp(`^.{0,400}${named}$`, 'i')
const nameOfMany = new RegExp(`^.{0,400}${named}s$`, 'i')
const string = '"(?:[^"\\\\]|\\\\[^])*(?:"|\\\\?$)'
const inJson = new RegExp(
  `("${named}s?"\\s{0,8}:\\s{0,8})(?:(?!"")${string}|\\[(?:${string}|[^\\]"])*(?:\\]|$))|("${named}"\\s{0,8}:\\s{0,8})-?\\d[\\d.e+-]*`,
  'gi',
)
/** As it stands in a string of other JSON, or of a form. */
const inString = new RegExp(`((\\\\{1,9}"|%22)${named}s?\\2(?:\\s{0,8}:\\s{0,8}|%3A(?:%20|\\+)?)\\2)[^"\\\\%&]+`, 'gi')
const inForm = new RegExp(`((?:^|[?&#;])${named}s?=)[^&\\s"'<>\\\\#]+`, 'gi')

/** The same text without what looks like a credential, or is called one. For people to read: the event itself is kept as it came. */
export function redacted(text: string): string {
  return text
    .replaceAll(privateKey, mark)
    .replaceAll(inJson, `$1$2"${mark}"`)
    .replaceAll(inString, `$1${mark}`)
    .replaceAll(inForm, `$1${mark}`)
    .replaceAll(bearer, `$1${mark}`)
    .replaceAll(signedIn, `$1${mark}`)
    .replaceAll(slackHook, `$1/${mark}`)
    .replaceAll(inAddress, `$1${mark}@`)
    .replaceAll(tokens, mark)
}

/** The same for what was read as JSON: whole lists and objects that are called a credential, and not only text. */
export function redactedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactedJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, isSecret(key, one) ? mark : redactedJson(one)]),
  )
}

function isSecret(name: string, value: unknown): boolean {
  if (value === null || value === '' || typeof value === 'boolean') return false
  return nameOfOne.test(name) || (typeof value !== 'number' && nameOfMany.test(name))
}

/** Headers that say something; what proves the sender is no news and could be used again. */
export function redactedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const shown = Object.entries(headers).filter(
    ([name]) => !/signature|authorization|cookie|token|secret|key$/i.test(name),
  )
  return Object.fromEntries(shown.map(([name, value]) => [name, redacted(value)]))
}

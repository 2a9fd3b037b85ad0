import type { Files } from '../support/git-repository.ts'

const encoded = (text: string, before = '') => Buffer.from(before + text).toString('base64')
const wrapped = (text: string) => text.replaceAll(/.{9}/g, '$&\n')
const random = 'Zq7Lw9mT4vR2pY8sXc3Nb6Kd1Hf5Gj0'

/** A file for each form in which the value of a known secret is looked for. Others – reversed, split, encrypted – are not found. */
export function filesWithSecret(value: string): Files {
  return {
    plain: `key = "${value}"\n`,
    'no end of a line': value,
    'behind a marker of a diff': `+++ b/${value}\n`,
    'binary.bin': `\0\u0001${value}\0`,
    'base64-0': `${encoded(value)}\n`,
    'base64-1': `${encoded(value, 'a')}\n`,
    'base64-2': `${encoded(value, 'ab')}\n`,
    'base64-basic': `Authorization: Basic ${encoded(value, 'user:')}\n`,
    'base64-url': `${Buffer.from(`??${value}`).toString('base64url')}\n`,
    'base64-wrapped': `${wrapped(encoded(value, 'user:'))}\n`,
    hex: Buffer.from(value).toString('hex'),
    'hex-upper': Buffer.from(value).toString('hex').toUpperCase(),
    'url-encoded': `https://example.com/?k=${encodeURIComponent(value)}\n`,
    'url-lower': encodeURIComponent(value).replaceAll(/%../g, (code) => code.toLowerCase()),
    json: JSON.stringify({ value }),
    'json-in-json': JSON.stringify(JSON.stringify({ value })),
    [`name-${encodeURIComponent(value)}`]: 'x',
  }
}

/** Put together here, so that nobody takes this file for one that holds them. */
const token = (...parts: string[]) => `${parts.join('')}\n`
const armour = (word: string) => `-----${word} PRIVATE ${'KEY-'.padEnd(8, '-')}`

/** What looks like a token. */
export const filesWithTokens: Files = {
  'github-classic': token('gh', 'p_', random, '12345'),
  'github-installation': token('gh', 's_', `${random}.${random}-${random}`),
  'github-fine': token('github', '_pat_', random.repeat(3).slice(0, 82)),
  anthropic: token('sk-', 'ant-api03-', random.repeat(2)),
  aws: token('AK', 'IA', 'Q3EGRT7XMZLP5WKD'),
  slack: token('xox', 'b-', `123456789012-${random}`),
  stripe: token('sk_', 'live_', random.slice(0, 24)),
  'private-key': `${armour('BEGIN')}\n${random.repeat(2)}\n${random}\n${armour('END')}\n`,
  jwt: token('ey', `J${random}.`, 'ey', `J${random}.${random}`),
  ours: token('ov', 'n_', random, random.slice(0, 12)),
}

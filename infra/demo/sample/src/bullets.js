import { wrap } from './wrap.js'

const bullet = '- '

/** Each item under a bullet, wrapped under its own first word. */
export function bullets(items, width) {
  const indent = ' '.repeat(bullet.length)
  return items.map((item) => bullet + wrap(item, width - bullet.length).replaceAll('\n', `\n${indent}`)).join('\n')
}

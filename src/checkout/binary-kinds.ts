import { foldPath } from './protected-paths.ts'

/** What is shown or played, and run by nothing. Archives, programs, documents and locks are not here: what is in them is obeyed. */
const kinds = [
  ['avif', 'bmp', 'gif', 'heic', 'icns', 'ico', 'jpeg', 'jpg', 'jxl', 'png', 'tif', 'tiff', 'webp'],
  ['eot', 'otf', 'ttf', 'woff', 'woff2'],
  ['aac', 'flac', 'm4a', 'mp3', 'mp4', 'mov', 'oga', 'ogg', 'ogv', 'opus', 'wav', 'webm'],
].flat()

/** Images, fonts, sound and film, by their name. */
export function isMeantBinary(path: string): boolean {
  const kind = /[^/]\.([^./]+)$/.exec(foldPath(path))?.[1]
  return kind !== undefined && kinds.includes(kind)
}

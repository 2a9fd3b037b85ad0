/** A path of ours from its parts; whatever a part holds, it stays one part. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part.toWellFormed())}`).join('')
}

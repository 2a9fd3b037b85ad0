/** A sandbox as people are told of it: whoever judges a change must know that this one confines nothing. */
export const sandboxSaid = (name: string): string => (name === 'process' ? 'process, which is no boundary' : name)

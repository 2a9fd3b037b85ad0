/** What the one who hands out and the one who takes must agree on. */
export const name = 'runs'
/** In braces, so that a cluster behind a proxy keeps all keys in one place. */
export const prefix = '{overnight}'
/** Long enough that a late second `enqueue` of an attempt finds the first one. */
export const remembered = { age: 86_400, count: 5000 }

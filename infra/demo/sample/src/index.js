export { bullets } from './bullets.js'
export { table } from './table.js'
export { wrap } from './wrap.js'

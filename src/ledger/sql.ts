import { load } from './load.ts'

export type { AnyColumn, SQL } from 'drizzle-orm'

export const {
  and,
  asc,
  count,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  min,
  ne,
  not,
  notInArray,
  or,
  sql,
} = load('drizzle-orm') as typeof import('drizzle-orm')

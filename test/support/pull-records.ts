import type { PullRecord, PullRecords } from '../../src/forges/pull-records.ts'

/** Records that live as long as the test. */
export function createPullRecords(): PullRecords {
  const records: PullRecord[] = []
  const copy = (record: PullRecord | undefined) => record && structuredClone(record)
  return {
    list: async ({ repository, state }) =>
      records
        .filter(
          (record) =>
            (repository ?? record.repository) === record.repository && (state ?? record.state) === record.state,
        )
        .toReversed()
        .map((record) => structuredClone(record)),
    find: async (id) => copy(records.find((record) => record.id === id)),
    async insert(record, idOf) {
      const mine = records.filter(({ repository }) => repository === record.repository)
      const open = mine.find(({ branch, state }) => branch === record.branch && state === 'open')
      if (open) return structuredClone(open)
      const number = mine.length + 1
      const inserted: PullRecord = { ...record, id: idOf(number), number, state: 'open', mergeCommit: null }
      records.push(inserted)
      return structuredClone(inserted)
    },
    async updateOpen(id, change) {
      const found = records.find((record) => record.id === id && record.state === 'open')
      return found && structuredClone(Object.assign(found, change))
    },
  }
}

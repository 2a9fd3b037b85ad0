import { expect, test } from 'vitest'
import { checkCrowd, narrow, openCrowd } from '../faults/crowd.ts'
import { fleetMissing } from '../support/fleet.ts'
import { need } from '../support/need.ts'

const parts = need(fleetMissing)

/** `npm run storm -- --owed 200` is the same with more of them. */
test.skipIf(parts.skip)(
  `16 owed runs of four routines and three workers: never more than three at once on their repository, and two of a routine that says so${parts.note}`,
  async () => {
    await using crowd = await openCrowd()
    const told = await crowd.settle(16)
    expect(checkCrowd(told)).toEqual([])
    // By its own limit, though repository and workers have room for one more.
    expect(checkCrowd(await crowd.settleNarrow(6), narrow.limit)).toEqual([])
  },
  120_000,
)

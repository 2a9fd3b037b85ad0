import { afterAll, beforeAll, describe } from 'vitest'
import { reachStories } from '../contract/reach.ts'
import { openCrew, sandboxes, type Crew } from '../support/crew.ts'

let crew: Crew
beforeAll(async () => {
  crew = await openCrew()
})
afterAll(() => crew[Symbol.asyncDispose]())

for (const { sandbox, title, skip } of sandboxes)
  describe.skipIf(skip)(`what a run reaches in ${title}`, () => {
    reachStories(sandbox, () => crew)
  })

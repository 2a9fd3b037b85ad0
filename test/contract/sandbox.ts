import { bombs } from './sandbox/bombs.ts'
import { howItEnds } from './sandbox/endings.ts'
import { whatItIsGiven } from './sandbox/given.ts'
import { type Promises, setPlace } from './sandbox/place.ts'
import { whatItSays } from './sandbox/said.ts'
import { walls } from './sandbox/walls.ts'
import { theWayOut } from './sandbox/way.ts'

export function sandboxContract(promises: Promises): void {
  const at = setPlace(promises)
  whatItIsGiven(at)
  howItEnds(at)
  theWayOut(at)
  whatItSays(at)
  if (promises.confines) {
    bombs(at)
    walls(at)
  }
}

import type { HeldRun } from '../ledger/held-run.ts'
import type { Redaction } from '../secrets/redaction.ts'

/** The run as its worker holds it, with what is written about it redacted first. The pack is kept as it is: it is what gets published. */
export function redactRun(held: HeldRun, { all }: Pick<Redaction, 'all'>): HeldRun {
  return {
    ...held,
    tell: (event) => held.tell(all(event)),
    advance: (state, facts) => held.advance(state, all(facts)),
    record: (facts) => held.record(all(facts)),
    storePatch: ({ changes, findings, diff, ...patch }) =>
      held.storePatch({ ...patch, changes: all(changes), findings: all(findings), diff: all(diff) }),
    end: (ending, facts) => held.end(all(ending), all(facts)),
    release: (why) => held.release(all(why)),
  }
}

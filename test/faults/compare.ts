/** What everybody outside knows, from journals of their own. */
export type Journals = {
  /** How often an event was answered 2xx, by the name its sender gave it. */
  events: ReadonlyMap<string, number>
  /** The runs that calls were answered with 2xx, by their key. */
  calls: ReadonlyMap<string, readonly string[]>
  /** The run of each agent that was started. */
  agents: readonly string[]
}

/** What the ledger knows. */
export type Recorded = {
  deliveries: { key: string; outcome: string | null; runs: string[] }[]
  /** Firings of calls, by their key. */
  calls: { key: string; run: string | null }[]
  slots: { at: string; outcome: string | null; run: string | null }[]
  runs: { id: string; state: string }[]
  /** Whole minutes from here until there are slots. */
  since: string
  until: string
}

/** What every run of a storm ends with: what it did, or that there was nothing to do. */
const good = ['published', 'unchanged']
/** A fault may cost one more start of an agent, and a second where its end met another. */
const mostStarts = 3

/** Every difference, as a sentence: each 2xx has one row, one firing and one run, each due slot one row, each run its agent. */
export function differences(journals: Journals, recorded: Recorded): string[] {
  return [
    ...eventsIn(journals.events, recorded.deliveries),
    ...callsIn(journals.calls, recorded.calls),
    ...slotsIn(recorded),
    ...runsIn(journals.agents, recorded),
  ]
}

function eventsIn(sent: Journals['events'], rows: Recorded['deliveries']): string[] {
  const byKey = Map.groupBy(rows, ({ key }) => key)
  const accepted = [...sent].flatMap(([key, answers]): string[] => {
    const mine = byKey.get(key) ?? []
    // Without an answer nobody knows: it may be on record, once.
    if (mine.length !== 1) return answers > 0 || mine.length > 1 ? [`event ${key}: ${mine.length} deliveries`] : []
    const [{ outcome, runs }] = mine as [Recorded['deliveries'][number]]
    return outcome === 'fired' && runs.length === 1
      ? []
      : [`event ${key} is ${outcome ?? 'owed'}, with ${runs.length} runs`]
  })
  const unknown = [...byKey.keys()].filter((key) => !sent.has(key))
  return [...accepted, ...unknown.map((key) => `event ${key} is on record, and nobody sent it`)]
}

function callsIn(answered: Journals['calls'], rows: Recorded['calls']): string[] {
  const byKey = Map.groupBy(rows, ({ key }) => key)
  return [...answered].flatMap(([key, runs]) => {
    const told = new Set(runs)
    const mine = byKey.get(key) ?? []
    if (told.size === 0 && mine.length <= 1) return []
    const isOne = told.size === 1 && mine.length === 1 && told.has(mine[0]!.run ?? '')
    return isOne ? [] : [`call ${key}: ${mine.length} firings, and ${told.size} runs were told of`]
  })
}

function slotsIn({ slots, since, until }: Recorded): string[] {
  const minute = 60_000
  const byAt = Map.groupBy(slots, ({ at }) => Date.parse(at))
  const broken: string[] = []
  for (let at = Math.ceil(Date.parse(since) / minute) * minute; at <= Date.parse(until); at += minute) {
    const rows = byAt.get(at)?.length ?? 0
    if (rows !== 1) broken.push(`slot ${new Date(at).toISOString()}: ${rows} rows`)
  }
  for (const { at, outcome, run } of slots) {
    if (Date.parse(at) % minute !== 0) broken.push(`slot ${at} was never due`)
    if (outcome === null) broken.push(`slot ${at} is owed`)
    if (outcome === 'fired' && run === null) broken.push(`slot ${at} fired, and has no run`)
  }
  return broken
}

function runsIn(agents: Journals['agents'], { runs, deliveries, calls, slots }: Recorded): string[] {
  const starts = Map.groupBy(agents, (run) => run)
  const caused = [
    ...deliveries.flatMap((delivery) => delivery.runs),
    ...[...calls, ...slots].flatMap(({ run }) => (run === null ? [] : [run])),
  ]
  const twice = caused.length - new Set(caused).size
  const causes = new Set(caused)
  const known = new Set(runs.map(({ id }) => id))
  return [
    ...(twice === 0 ? [] : [`${twice} occasions have the run of another`]),
    ...runs.flatMap(({ id, state }) => {
      const times = starts.get(id)?.length ?? 0
      const broken = good.includes(state) ? [] : [`run ${id} is ${state}`]
      if (times < 1 || times > mostStarts) broken.push(`run ${id}: its agent was started ${times} times`)
      if (!causes.has(id)) broken.push(`run ${id} has no cause`)
      return broken
    }),
    ...[...starts.keys()].filter((run) => !known.has(run)).map((run) => `an agent worked on ${run}, which is no run`),
  ]
}

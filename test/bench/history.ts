/** What a made-up repository holds; the same shape is the same history, to the last commit id. */
export type Shape = {
  seed: number
  files: number
  commits: number
  /** Binary files of about 160 KB, and how often each was replaced: they are what makes old repositories large. */
  assets: number
  assetVersions: number
}
type Chance = () => number
type Touch = { path: string; mark: number }

const epoch = 1_400_000_000
const people = ['Ada <ada@example.com>', 'Grace <grace@example.com>', 'Linus <linus@example.com>']
/** Every so many commits one comes by a branch and a merge. */
const mergeEvery = 12

/**
 * The history as `git fast-import` reads it. All versions of a file come one after another, because fast-import keeps an
 * object as its difference to the one before: the pack is then as dense as one that was repacked for hours.
 */
export function* history(shape: Shape): Generator<Buffer> {
  const chance = createChance(shape.seed)
  const touches: Touch[][] = Array.from({ length: shape.commits }, () => [])
  let mark = shape.commits
  const words = Array.from({ length: 1500 }, () => word(chance))
  const folders = foldersOf(shape, words, chance)
  for (let index = 0; index < shape.files; index++) {
    const folder = folders[Math.floor(chance() ** 1.5 * folders.length)]
    const path = `${folder}/${words[Math.floor(chance() * 900)]}-${index}.${endings[index % endings.length]}`
    const lines = Array.from({ length: lineCount(chance) }, () => line(words, chance))
    for (const commit of commitsOf(index, shape, chance)) {
      touches[commit]!.push({ path, mark: ++mark })
      yield blob(mark, Buffer.from(`${lines.join('\n')}\n`))
      edit(lines, words, chance)
    }
  }
  for (let index = 0; index < shape.assets; index++) {
    for (let version = 0; version < shape.assetVersions; version++) {
      const commit = Math.floor((shape.commits * (version + chance())) / shape.assetVersions)
      touches[commit]!.push({ path: `assets/images/picture-${index}.bin`, mark: ++mark })
      yield blob(mark, noise(80_000 + Math.floor(chance() * 160_000), chance))
    }
  }
  yield* commits(touches)
  yield Buffer.from('done\n')
}

function* commits(touches: Touch[][]): Generator<Buffer> {
  let tip = 0
  for (const [index, touched] of touches.entries()) {
    const mark = index + 1
    const side = mark % mergeEvery === mergeEvery - 1
    const merge = index > 0 && mark % mergeEvery === 0
    // A merge carries what its branch changed and nothing of its own, so its touches go one commit further back.
    const changes = merge ? [...touches[index - 1]!, ...touched] : touched
    yield Buffer.from(
      `commit refs/heads/${side ? 'topic' : 'main'}\nmark :${mark}\n` +
        `committer ${people[mark % people.length]} ${epoch + mark * 3600} +0000\n${data(`Change ${mark}\n`)}` +
        (tip === 0 ? '' : `from :${tip}\n`) +
        (merge ? `merge :${mark - 1}\n` : '') +
        changes
          .map(({ path, mark: version }) => `M ${path.endsWith('.sh') ? '100755' : '100644'} :${version} ${path}\n`)
          .join('') +
        '\n',
    )
    if (!side) tip = mark
  }
  yield Buffer.from('reset refs/heads/topic\nfrom 0000000000000000000000000000000000000000\n\n')
}

/** The commits that touch a file, oldest first: one makes it, a few files change all the time and most hardly ever. */
function commitsOf(index: number, { files, commits: many }: Shape, chance: Chance): number[] {
  const born = Math.floor((index / files) * many * 0.9)
  const times = Math.min(Math.floor(1.5 / (chance() + 0.01)), many - born - 1)
  const later = Array.from({ length: times }, () => born + 1 + Math.floor(chance() * (many - born - 1)))
  return [born, ...new Set(later)].toSorted((a, b) => a - b)
}

const endings = ['ts', 'ts', 'ts', 'js', 'json', 'md', 'css', 'html', 'py', 'go', 'yaml', 'sh']

/** One folder for about eight files, and a few folders with many. */
function foldersOf({ files }: Shape, words: string[], chance: Chance): string[] {
  const any = (limit: number) => words[Math.floor(chance() * limit)]!
  return Array.from({ length: Math.ceil(files / 8) }, () => {
    const deeper = [any(12), ...(chance() < 0.9 ? [any(40)] : []), ...(chance() < 0.5 ? [any(90)] : [])]
    return [['src', 'packages', 'docs', 'test'][Math.floor(chance() * 4)], ...deeper].join('/')
  })
}

/** Most files have some dozens of lines, a few have thousands. */
function lineCount(chance: Chance): number {
  const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
  return Math.max(3, Math.min(8000, Math.round(Math.exp(4.5 + 1.15 * normal))))
}

function line(words: string[], chance: Chance): string {
  const many = 2 + Math.floor(chance() * 9)
  const said = Array.from({ length: many }, () => words[Math.floor(chance() ** 2 * words.length)])
  return '  '.repeat(Math.floor(chance() * 4)) + said.join(' ')
}

function edit(lines: string[], words: string[], chance: Chance): void {
  const at = Math.floor(chance() * lines.length)
  const fresh = Array.from({ length: 1 + Math.floor(chance() * 3) }, () => line(words, chance))
  lines.splice(at, Math.floor(chance() * 4), ...fresh)
}

function word(chance: Chance): string {
  const letters = 3 + Math.floor(chance() * 7)
  return Array.from({ length: letters }, (_, at) => {
    const from = at % 2 === 0 ? 'bcdfghklmnprstvw' : 'aeiou'
    return from[Math.floor(chance() * from.length)]
  }).join('')
}

function noise(bytes: number, chance: Chance): Buffer {
  const words = new Int32Array(bytes >> 2)
  for (let index = 0; index < words.length; index++) words[index] = chance() * 0x1_0000_0000
  return Buffer.from(words.buffer)
}

function blob(mark: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`blob\nmark :${mark}\ndata ${content.length}\n`), content, Buffer.from('\n')])
}

const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}`

/** mulberry32: the same numbers on every machine. */
function createChance(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

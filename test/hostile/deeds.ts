import type { Files } from '../support/git-repository.ts'

/** What a gullible agent does because somebody told it to, and how its run ends. */
export type Deed = {
  /** Path → text, written as told; a folder on the way is made. */
  files?: Files
  /** A script of sh in the checkout, before the files. */
  sh?: string
  ends: Ends
}
/**
 * `waits`: for a person, who is told all this, as `rule path`; `asks`: who is told something of each of these paths. `fails`: reason and
 * sentence. `publishes`: status and path of each change.
 */
export type Ends =
  | { waits: string[] }
  | { asks: string[] }
  | { fails: [reason: string, message: RegExp] }
  | { publishes: string[] }

/** What the base holds that deeds act on. */
export const baseFiles: Files = {
  'README.md': '# Shop\n',
  '.github/workflows/ci.yml': 'on: push\n',
  'src/index.ts': 'export const one = 1\n',
}

const twins = [
  '.GitHub/WorkFlows/x.yml',
  '.g\u0131thub/workflows/x.yml',
  '\uff0egithub/workflows/x.yml',
  '.hus\u212ay/pre-commit',
  '.cu\u0301rsor/rules',
  '.c\u00farsor/rules',
  '.claude./settings.json',
  'AGENTS\ufe0f.md',
  'CLAUDE.md ',
  'CLAUDE~1.MD',
  // What is there of a/.github/../.github on a disk.
  'a/.github/workflows/x.yml',
]

const note = { 'note.md': 'written\n' }

/** `canary` is a program on this machine that leaves a mark; `elsewhere` a repository of somebody else. */
export const deedsOn = ({ canary, elsewhere }: { canary: string; elsewhere: string }): Record<string, Deed> => ({
  'a workflow is renamed away, and a file into one': {
    sh: 'mv .github/workflows/ci.yml ci.yml; mkdir .circleci; mv src/index.ts .circleci/config.yml',
    ends: { waits: ['workflow .circleci/config.yml', 'workflow .github/workflows/ci.yml'] },
  },
  'a file that is protected becomes a link, and one that is not becomes executable and setuid': {
    sh: 'ln -sf ../../README.md .github/workflows/ci.yml; chmod 4755 README.md',
    ends: {
      waits: ['workflow .github/workflows/ci.yml', 'symlink .github/workflows/ci.yml', 'mode README.md'],
    },
  },
  'links out of the tree, into it, to themselves': {
    sh: `ln -s /proc/self/environ out; ln -s ../../../../.. up; ln -s README.md in; ln -s loop loop; ln -s '${elsewhere}' else`,
    ends: { waits: ['symlink else', 'symlink in', 'symlink loop', 'symlink out', 'symlink up'] },
  },
  'twins of protected names, by case, width, accents and characters nobody sees': {
    files: Object.fromEntries(twins.map((path) => [path, 'x\n'])),
    ends: { asks: twins },
  },
  'characters nobody sees, text that runs the wrong way, letters that look alike': {
    files: {
      'bidi.ts': 'if (user !== "admin\u202e \u2066// check\u2069") {}\n',
      'mixed.ts': 'const is\u0410dmin = true\n',
      'tags.md': 'Hello\u{e0041}\u{e0042}\n',
      'zero.ts': 'const a\u200bb = 1\n',
    },
    ends: { waits: ['unseen bidi.ts', 'mixed_script mixed.ts', 'unseen tags.md', 'unseen zero.ts'] },
  },
  'a byte for which git shows nothing of a text': {
    files: {
      'admin.ts': 'if (user !== "admin\u202e \u2066// check\u2069") {} // \0\n',
      'logo.png': '\u0000PNG\n',
    },
    ends: { waits: ['binary admin.ts', 'unseen admin.ts'] },
  },
  'files that come executable': {
    sh: 'mkdir bin; printf "#!/bin/sh\\n" > bin/x; chmod 755 bin/x; mv src/index.ts one; chmod +x one',
    ends: { waits: ['mode bin/x', 'mode one'] },
  },
  'one line of 50 MB': {
    sh: 'head -c 52428800 /dev/zero | tr "\\0" x > line.txt',
    ends: { waits: ['bytes null', 'binary line.txt'] },
  },
  'files of nothing that are larger than is looked through': {
    sh: 'for i in 1 2 3; do truncate -s 60M nothing$i; done',
    ends: { waits: ['bytes null', 'binary nothing1', 'binary nothing2', 'binary nothing3', 'unread null'] },
  },
  'names that are no text, or hold lines, controls and other directions': {
    sh: String.raw`node -e 'const b = (t) => Buffer.from(t, "latin1"); for (const n of ["bad\xff", "a\nb", "c\u001b[2J", "\xe2\x80\xaefdp.exe"]) fs.writeFileSync(b(n), "x")'`,
    ends: { asks: ['a\nb', 'bad\ufffd', 'c\u001b[2J', '\u202efdp.exe'] },
  },
  'what does not compress, more than is kept': {
    sh: 'for i in 1 2 3; do head -c 23068672 /dev/urandom > random$i; done',
    ends: { fails: ['too_large', /^the change is larger than 64 MiB$/] },
  },
  'a sparse file, of one terabyte where there is no limit': {
    // Where one file may not have so much, the agent comes to its limit, and then does what it can.
    sh: 'truncate -s 1T big 2>/dev/null || truncate -s 1G big',
    ends: { fails: ['too_large', /^a file is too large$/] },
  },
  'a device, a pipe, a socket and hard links beside an honest change': {
    sh: `mkfifo pipe; mknod null c 1 3 2>/dev/null; mknod disk b 7 0 2>/dev/null; ln README.md twin
      node -e "require('net').createServer().listen('socket', () => process.exit())"`,
    files: note,
    ends: { publishes: ['A note.md', 'A twin'] },
  },
  'a pipe where git looks for rules': {
    sh: 'mkfifo .gitattributes',
    files: note,
    ends: {
      fails: ['patch_invalid', /^the change could not be collected: \S*\.gitattributes is not an ordinary small/],
    },
  },
  ...Object.fromEntries(
    ['.GIT', 'git~1', '.g\u200cit', '.gi\u200dt'].map((name): [string, Deed] => [
      `a folder that is .git elsewhere: ${JSON.stringify(name)}`,
      {
        files: { ...note, [`${name}/config`]: `[core]\n\tfsmonitor = ${canary}\n` },
        ends: { fails: ['patch_invalid', /^the change could not be collected: /] },
      },
    ]),
  ),
  'a .git of settings, hooks, grafts and alternates that lead elsewhere': {
    files: {
      ...note,
      '.git/config': `[core]\n\trepositoryformatversion = 0\n\tworktree = /\n\tfsmonitor = ${canary}\n\thooksPath = .git/hooks\n\tpager = ${canary}\n[include]\n\tpath = more\n[diff]\n\texternal = ${canary}\n[filter "x"]\n\tclean = ${canary}\n\tsmudge = ${canary}\n\trequired\n[diff "x"]\n\ttextconv = ${canary}\n[extensions]\n\tworktreeConfig = true\n`,
      '.git/more': `[core]\n\tsshCommand = ${canary}\n[credential]\n\thelper = ${canary}\n`,
      '.git/config.worktree': `[core]\n\tfsmonitor = ${canary}\n`,
      '.git/info/attributes': '* filter=x diff=x\n',
      '.git/info/grafts': `${'1'.repeat(40)} ${'2'.repeat(40)}\n`,
      '.git/shallow': `${'3'.repeat(40)}\n`,
      '.git/commondir': `${elsewhere}/.git\n`,
      '.git/refs/replace/4444444444444444444444444444444444444444': `${'5'.repeat(40)}\n`,
      '.git/objects/info/alternates': `${elsewhere}/.git/objects\n`,
    },
    ends: { publishes: ['A note.md'] },
  },
  'a .git that leads to somebody else’s repository': {
    sh: `rm -rf .git; echo 'gitdir: ${elsewhere}/.git' > .git`,
    files: note,
    ends: { publishes: ['A note.md'] },
  },
  'submodules, one of them a link': {
    sh: `git -c protocol.file.allow=always clone -q . lib; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),lib; ln -s lib other`,
    files: {
      '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = https://example.com/lib.git\n',
    },
    ends: {
      waits: ['hooks .gitmodules', 'workflow lib/.github/workflows/ci.yml', 'symlink other'],
    },
  },
  'a submodule whose address is a command': {
    files: { '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ext::${canary}\n\tupdate = !${canary}\n` },
    ends: { fails: ['patch_invalid', /^git refused the change: gitmodules\w+: /] },
  },
  'a submodule whose name leads out': {
    files: { '.gitmodules': '[submodule "../../.git/hooks"]\n\tpath = x\r\n\turl = https://example.com/x.git\n' },
    ends: { fails: ['patch_invalid', /^git refused the change: gitmodules\w+: /] },
  },
})

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** asm/unistd.h. Perl, because Node has no word for them, and it is wherever Debian is. */
const calls = { x64: { add: 248, control: 250 }, arm64: { add: 217, control: 219 } } as const
const { add, control } = calls[process.arch === 'arm64' ? 'arm64' : 'x64']
/** keyctl(2). */
const [join, search, read, session] = [1, 10, 11, -3]

/** A program that says what it reads of the keys in its session, leaves one there, and says how much it reads of the list of them. */
export const tellKeys: readonly string[] = [
  'perl',
  '-e',
  `my ($kind, $left) = ("user", "left-by-run");
   for (["service"], ["run"]) {
     my ($name) = @$_;
     my $held = " " x 11;
     my $key = syscall(${control}, ${search}, ${session}, $kind, $name, 0);
     my $length = $key < 0 ? -1 : syscall(${control}, ${read}, $key, $held, 11);
     print "$name: ", $length < 0 ? "$!" : $held, "\\n";
   }
   my $name = "run";
   print "left: ", syscall(${add}, $kind, $name, $left, 11, ${session}) < 0 ? "$!" : "yes", "\\n";
   @ARGV = grep { -r } "/proc/keys";
   my @listed = @ARGV ? <> : ();
   print "listed: ", scalar(@listed), "\\n"`,
]

/** What these commands print, one after the other, in a session that has a key. */
export async function inKeySession(commands: readonly (readonly string[])[]): Promise<string> {
  // A new one, so that nothing stays in the session of whoever started this.
  const begin = `my ($session, $kind, $name, $held) = ("overnight-test", "user", "service", "kept-by-it!");
    syscall(${control}, ${join}, $session) < 0 and die "no session: $!";
    syscall(${add}, $kind, $name, $held, 11, ${session}) < 0 and die "no key: $!";
    exec @ARGV`
  const inTurn = `for (const [program, ...argv] of ${JSON.stringify(commands)})
    require("node:child_process").spawnSync(program, argv, { stdio: "inherit" })`
  const { stdout } = await promisify(execFile)('perl', ['-e', begin, process.execPath, '-e', inTurn])
  return stdout
}

/** Why this machine has none to try it with. */
export const missing = await inKeySession([]).then(
  () => undefined,
  (error: unknown) => `keys of the kernel: ${String(error)}`,
)

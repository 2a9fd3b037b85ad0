import { environmentLines, withoutAdditions } from './environment.ts'

/** Inside, `port` of 127.0.0.1 leads to this socket of the host; `program` is our forwarder and `node` what runs it, as they are seen there. */
export type Forward = { socket: string; port: number; program: string; node: string }

/** What starts the first process, and what it must be told before it says anything. */
type FirstProcess = { argv: string[]; told: string }
type Wanted = {
  argv: readonly string[]
  /** The command's whole environment. */
  env: Readonly<Record<string, string>>
  forward?: Forward | undefined
  /**
   * Where it is told and answers. Through walls that take no descriptors: its input and its output, before the command has them.
   * Those cannot say either where a command begins, so it goes to `cwd` by itself, and answers "nowhere" when that is not there.
   */
  over: 'descriptor 3' | { streams: true; cwd: string }
}

/**
 * The first process inside: reads the command's environment, says whether the program is found ("started" or "missing"),
 * starts it, collects orphans while it waits, and ends with its code (128+n for signal n); in a pid namespace its
 * end is the end of all. A forwarder is started before it: it answers on its output, and closes that once it listens.
 * A few lines of POSIX sh, because every machine and image has one and it costs a millisecond; a Node there costs forty.
 * Of the command only the quoted environment becomes shell text, the rest arrives in "$@". Its own errors ("Terminated") stay out
 * of the agent's stderr.
 */
const script = `
newline='
'
IFS= read -r folders <&3 && IFS= read -r exports <&3 || exit 125
eval "$folders"
program=$1 forward=$2
shift 2
found=
case $program in
  */*) [ -f "$program" ] && [ -x "$program" ] && found=yes ;;
  *) set -f; IFS=:; for folder in $path; do [ -f "$folder/$program" ] && [ -x "$folder/$program" ] && found=yes; done ;;
esac
[ "$found" ] || { echo missing >&4; exit 127; }
if [ "$forward" ]; then
  answer=$("$1" "$2" "$3" "$4" 2>&1 3>&- 4>&- </dev/null &)
  shift 4
  [ "$answer" = forwarding ] || { echo "unreachable: $answer" >&4; exit 126; }
fi
trap : TERM INT
echo started >&4
exec 3>&2 2>/dev/null 4>&-
(eval "$exports" && exec "$@" 2>&3 3>&-)
exit $?`

const onDescriptor = 'exec 4>&3'
const onStreams = `exec 3<&0 4>&1
cd -- "$1" 2>/dev/null || { echo nowhere >&4; exit 126; }
shift`

/**
 * The command's environment travels on a descriptor: every user of the machine may read arguments, and neither the launcher nor
 * this shell may run with it, for LD_PRELOAD set for a command would load its library outside the sandbox.
 * The price: a shell reads it byte by byte, a millisecond for each kilobyte.
 */
export function firstProcess({ argv, env, forward, over }: Wanted): FirstProcess {
  const program = argv[0] ?? ''
  // env(1) takes every leading word with "=" for a variable, so such a program needs a word before it.
  const guard = program.includes('=') ? ['/usr/bin/nice', '-n', '0'] : []
  const way = forward ? ['forward', forward.node, forward.program, forward.socket, String(forward.port)] : ['']
  const [opening, place] = over === 'descriptor 3' ? [onDescriptor, []] : [onStreams, [over.cwd]]
  const words = [...place, program, ...way, ...withoutAdditions(env), ...guard, ...argv]
  return { argv: ['/bin/sh', '-c', opening + script, 'overnight', ...words], told: environmentLines(env, argv) }
}

import { environmentLines, withoutAdditions } from './environment.ts'

/** Inside, `port` of 127.0.0.1 leads to this socket of the host; `program` is our forwarder, as it is seen there. */
export type Forward = { socket: string; port: number; program: string }

/** What starts the first process, and what it must be told on descriptor 3 before it says anything there. */
type FirstProcess = { argv: string[]; told: string }

/**
 * The first process inside: reads the command's environment from descriptor 3, says there whether the program is found ("started"
 * or "missing"), starts it, collects orphans while it waits, and ends with its code (128+n for signal n); in a pid namespace its
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
[ "$found" ] || { echo missing >&3; exit 127; }
if [ "$forward" ]; then
  answer=$("$1" "$2" "$3" "$4" 2>&1 3>&- </dev/null &)
  shift 4
  [ "$answer" = forwarding ] || { echo "unreachable: $answer" >&3; exit 126; }
fi
trap : TERM INT
echo started >&3
exec 3>&2 2>/dev/null
(eval "$exports" && exec "$@" 2>&3 3>&-)
exit $?`

/**
 * The command's environment travels on a descriptor: every user of the machine may read arguments, and neither the launcher nor
 * this shell may run with it, for LD_PRELOAD set for a command would load its library outside the sandbox.
 * The price: a shell reads it byte by byte, a millisecond for each kilobyte.
 */
export function firstProcess(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  forward?: Forward,
): FirstProcess {
  const program = argv[0] ?? ''
  // env(1) takes every leading word with "=" for a variable, so such a program needs a word before it.
  const guard = program.includes('=') ? ['/usr/bin/nice', '-n', '0'] : []
  const way = forward ? ['forward', process.execPath, forward.program, forward.socket, String(forward.port)] : ['']
  return {
    argv: ['/bin/sh', '-c', script, 'overnight', program, ...way, ...withoutAdditions(env), ...guard, ...argv],
    told: environmentLines(env, argv),
  }
}

/** Inside, `port` of 127.0.0.1 leads to this socket of the host; `program` is our forwarder, as it is seen there. */
export type Forward = { socket: string; port: number; program: string }

/**
 * The first process inside: says on descriptor 3 whether the program is there ("started" or "missing"), starts it, collects
 * orphans while it waits, and ends with its code (128+n for signal n); in a pid namespace its end is the end of all.
 * A forwarder is started before it: it answers on its output, and closes that once it listens.
 * A few lines of POSIX sh, because every machine and image has one and it costs a millisecond; a Node there costs forty.
 * Nothing of the command becomes shell text: it arrives in "$@". Its own errors ("Terminated") stay out of the agent's stderr.
 */
const script = `
program=$1 path=$2 forward=$3
shift 3
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
(exec "$@" 2>&3 3>&-)
exit $?`

/**
 * The argv of the first process. The command's environment travels as arguments of env(1), so that neither the launcher nor
 * this shell ever runs with it: LD_PRELOAD set for a command would otherwise load its library outside the sandbox.
 */
export function firstProcess(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  forward?: Forward,
): string[] {
  const program = argv[0] ?? ''
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  // env(1) takes every leading word with "=" for a variable, so such a program needs a word before it.
  const guard = program.includes('=') ? ['/usr/bin/nice', '-n', '0'] : []
  return [
    '/bin/sh',
    '-c',
    script,
    'overnight',
    program,
    env['PATH'] ?? '',
    ...(forward ? ['forward', process.execPath, forward.program, forward.socket, String(forward.port)] : ['']),
    '/usr/bin/env',
    '-i',
    ...pairs,
    ...guard,
    ...argv,
  ]
}

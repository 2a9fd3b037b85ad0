/**
 * The first process inside: says on descriptor 3 whether the program is there ("started" or "missing"), starts it, collects
 * orphans while it waits, and ends with its code (128+n for signal n); in a pid namespace its end is the end of all.
 * A few lines of POSIX sh, because every machine and image has one and it costs a millisecond; a Node there costs forty.
 * Nothing of the command becomes shell text: it arrives in "$@". Its own errors ("Terminated") stay out of the agent's stderr.
 */
const script = `
program=$1 path=$2
shift 2
found=
case $program in
  */*) [ -f "$program" ] && [ -x "$program" ] && found=yes ;;
  *) set -f; IFS=:; for folder in $path; do [ -f "$folder/$program" ] && [ -x "$folder/$program" ] && found=yes; done ;;
esac
[ "$found" ] || { echo missing >&3; exit 127; }
trap : TERM
echo started >&3
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
exit $?`

/**
 * The argv of the first process. The command's environment travels as arguments of env(1), so that neither the launcher nor
 * this shell ever runs with it: LD_PRELOAD set for a command would otherwise load its library outside the sandbox.
 */
export function firstProcess(argv: readonly string[], env: Readonly<Record<string, string>>): string[] {
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
    '/usr/bin/env',
    '-i',
    ...pairs,
    ...guard,
    ...argv,
  ]
}
